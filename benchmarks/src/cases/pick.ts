import { type Lane, parseLane } from '@laneway/core'
import { serviceHandle } from '@laneway/core/internal'
import type { BalancerName, Choice, LaneResolver } from '@laneway/discovery'
import { expect, type Row, type Subject, type Table, type Target } from '../case.js'
import { bare, bareMap, filterThenRandom, nacosClient, OPS } from './pick-peers.js'
import { endpoints, resolverOf, SERVICE, SIZES, type Size } from './services.js'

const BALANCERS: readonly BalancerName[] = ['weighted-random', 'round-robin', 'least-request']

const VARIANTS = {
  base: { lane: undefined, outcome: 'base', served: undefined },
  lane: { lane: parseLane('gray'), outcome: 'lane', served: 'gray' },
  fallback: { lane: parseLane('red'), outcome: 'fallback-missing', served: undefined },
  list: { lane: parseLane('red,gray'), outcome: 'lane', served: 'gray' },
} as const

type Way = 'pick' | 'hop' | 'handle'

/** `hop` is what an adapter asks for each request: the service of the host, and an endpoint. `handle` asks the same of a handle. */
function loopOf(resolver: LaneResolver, lane: Lane | undefined, way: Way): () => Choice | undefined {
  let choice: Choice | undefined
  if (way === 'pick') {
    return () => {
      for (let i = 0; i < OPS; i++) choice = resolver.pick(SERVICE, lane)
      return choice
    }
  }
  if (way === 'hop') {
    return () => {
      for (let i = 0; i < OPS; i++) choice = resolver.pick(resolver.match(SERVICE, undefined, false)!, lane)
      return choice
    }
  }
  const handle = serviceHandle<Choice>(resolver, { hostname: SERVICE, port: undefined, secure: false })
  return () => {
    for (let i = 0; i < OPS; i++) choice = handle.pick(handle.match()!, lane)
    return choice
  }
}

function ours(
  size: Size,
  variant: keyof typeof VARIANTS,
  balancer: BalancerName,
  weighted = false,
  way: Way = 'pick',
): Row {
  const { lane, outcome, served } = VARIANTS[variant]
  const name = weighted ? `${size}/${variant}/weights` : `${size}/${variant}`
  return {
    name: way === 'pick' ? name : `${name}/${way}`,
    async subject(): Promise<Subject> {
      const [resolver] = await resolverOf(endpoints(SIZES[size], weighted), balancer)
      return {
        ops: OPS,
        run: loopOf(resolver, lane, way),
        check(result) {
          const choice = result as Choice
          expect(choice.outcome === outcome && choice.served === served, `outcome ${choice.outcome}`)
          expect(choice.endpoint?.tags[0] === served, `an endpoint of ${choice.endpoint?.tags}`)
        },
        close: () => resolver.close(),
      }
    },
  }
}

function pickTable(balancer: BalancerName): Table {
  const sizes = Object.keys(SIZES) as Size[]
  const variants = Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]
  const targets: Target[] = sizes.flatMap(size => [
    { row: `${size}/base`, figure: 'ns', per: `${size}/bare array`, atMost: 2 },
    { row: `${size}/base/handle`, figure: 'ns', per: `${size}/bare array`, atMost: 2 },
    { row: `${size}/base/handle`, figure: 'bytes', atMost: 0 },
    { row: `${size}/lane/handle`, figure: 'bytes', atMost: 0 },
    ...variants.map(variant => ({ row: `${size}/${variant}`, figure: 'bytes', atMost: 0 })),
  ])
  targets.push({ row: '10k/base', figure: 'ns', per: '10/base', atMost: 2.5 })
  if (balancer === 'round-robin') targets.push({ row: '100k/base', figure: 'ns', per: '10/base', atMost: 1.3 })
  return {
    name: `discovery/pick/${balancer}`,
    about:
      '`resolver.pick` by the number of endpoints of the service; three of five are base, one is in the lane. The floor is the same algorithm, with the same generator, on an array at hand: no service to find by name, no lane, no health. `hop` is the two questions of an adapter for each request, the service of the host and an endpoint; `handle` asks both of the handle that adapters keep. `nacos` knows no lanes.',
    rows: sizes.flatMap(size => [
      bare(size, balancer),
      bareMap(size, balancer),
      ...(balancer === 'weighted-random' && size !== '100k' ? [filterThenRandom(size), nacosClient(size)] : []),
      ...variants.map(variant => ours(size, variant, balancer)),
      ...(['base', 'lane'] as const).flatMap(variant =>
        (['hop', 'handle'] as const).map(way => ours(size, variant, balancer, false, way)),
      ),
      ...(balancer === 'least-request' ? [] : [ours(size, 'base', balancer, true)]),
    ]),
    targets,
  }
}

export const pick: readonly Table[] = BALANCERS.map(pickTable)
