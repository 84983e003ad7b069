import { createRequire } from 'node:module'
import { parseLane } from '@laneway/core'
import {
  type Balancer,
  type Choice,
  createLaneResolver,
  type EndpointInput,
  type LaneResolver,
  type Source,
  type SourceListener,
} from '@laneway/discovery'
import { expect, type Row, type Subject, type Table, type Target } from '../case.js'
import { seeded } from '../statistics.js'

const OPS = 4096
const SERVICE = 'sc-b'
const BALANCERS: readonly Balancer[] = ['weighted-random', 'round-robin', 'least-request']
const SIZES = { '10': 10, '1k': 1000, '10k': 10_000, '100k': 100_000 } as const
type Size = keyof typeof SIZES

/** Of five endpoints three are base, one is gray, one blue. */
export function endpoints(count: number, weighted = false): EndpointInput[] {
  return Array.from({ length: count }, (_, i) => ({
    host: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    port: 8080,
    ...(weighted && { weight: 1 + (i % 3) }),
    health: 'healthy' as const,
    tags: i % 5 === 3 ? ['gray'] : i % 5 === 4 ? ['blue'] : [],
    metadata: { 'preserved.register.source': 'BENCH', version: `1.${i % 7}.0` },
  }))
}

/** A source that reports what it is told to. */
class Pushed implements Source {
  readonly name = 'bench'
  listener: SourceListener | undefined
  #endpoints: readonly EndpointInput[]
  constructor(first: readonly EndpointInput[]) {
    this.#endpoints = first
  }
  subscribe(_service: string, listener: SourceListener): () => void {
    this.listener = listener
    listener.snapshot(this.#endpoints)
    return () => {}
  }
  async close(): Promise<void> {}
}

async function resolverOf(list: readonly EndpointInput[], balancer: Balancer): Promise<[LaneResolver, Pushed]> {
  const source = new Pushed(list)
  const resolver = createLaneResolver({ sources: [source], services: [SERVICE], balancer })
  await resolver.ready(SERVICE)
  return [resolver, source]
}

const VARIANTS = {
  base: { lane: undefined, outcome: 'base', served: undefined },
  lane: { lane: parseLane('gray'), outcome: 'lane', served: 'gray' },
  fallback: { lane: parseLane('red'), outcome: 'fallback-missing', served: undefined },
  list: { lane: parseLane('red,gray'), outcome: 'lane', served: 'gray' },
} as const

function pick(size: Size, variant: keyof typeof VARIANTS, balancer: Balancer, weighted = false): Row {
  const { lane, outcome, served } = VARIANTS[variant]
  return {
    name: weighted ? `${size}/${variant}/weights` : `${size}/${variant}`,
    async subject(): Promise<Subject> {
      const [resolver] = await resolverOf(endpoints(SIZES[size], weighted), balancer)
      return {
        ops: OPS,
        run() {
          let choice: Choice | undefined
          for (let i = 0; i < OPS; i++) choice = resolver.pick(SERVICE, lane)
          return choice
        },
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

/** xorshift128, as the resolver uses; `Math.random` would leave 16 bytes a draw. */
function draws(): () => number {
  const state = Int32Array.of(0x2545f491, 0x1b873593, 0x6c078965, 0x5bd1e995)
  return () => {
    let t = state[3]!
    t ^= t << 11
    t ^= t >>> 8
    const s = state[0]!
    state[3] = state[2]!
    state[2] = state[1]!
    state[1] = s
    t ^= s ^ (s >>> 19)
    state[0] = t
    return t >>> 2
  }
}

/** The same algorithm on an array that is at hand: no service to find, no lane, no health. */
function bareDraw(balancer: Balancer, list: readonly EndpointInput[]): () => EndpointInput {
  const next = draws()
  const { length } = list
  const scale = length / 2 ** 30
  if (balancer === 'round-robin') {
    let position = 0
    return () => {
      const one = list[position]!
      position = position + 1 === length ? 0 : position + 1
      return one
    }
  }
  if (balancer === 'weighted-random') return () => list[(next() * scale) | 0]!
  const loads = list.map(() => ({ inFlight: 0, failures: 0 }))
  const weights = new Float64Array(length).fill(1)
  return () => {
    const first = (next() * scale) | 0
    const { inFlight } = loads[first]!
    if (inFlight === 0) return list[first]!
    const second = (next() * scale) | 0
    return list[loads[second]!.inFlight * weights[first]! < inFlight * weights[second]! ? second : first]!
  }
}

function isBase(result: unknown): void {
  expect((result as EndpointInput | undefined)?.tags?.length === 0, 'no base endpoint')
}

function loop(draw: () => EndpointInput): Subject {
  return {
    ops: OPS,
    run() {
      let one: EndpointInput | undefined
      for (let i = 0; i < OPS; i++) one = draw()
      return one
    },
    check: isBase,
  }
}

function bare(size: Size, balancer: Balancer): Row {
  return {
    name: `${size}/bare array`,
    floor: true,
    subject: () => loop(bareDraw(balancer, baseOf(SIZES[size]))),
  }
}

function bareMap(size: Size, balancer: Balancer): Row {
  return {
    name: `${size}/bare array behind two Maps`,
    peer: true,
    subject() {
      const draw = bareDraw(balancer, baseOf(SIZES[size]))
      const services = new Map([
        [SERVICE, new Map([['base', draw]])],
        ['sc-a', new Map()],
      ])
      return loop(() => services.get(SERVICE)!.get('base')!())
    },
  }
}

function baseOf(count: number): EndpointInput[] {
  return endpoints(count).filter(one => one.tags!.length === 0)
}

/** What is commonly written: filter by lane, fall back to base, draw. */
function filterThenRandom(size: Size): Row {
  const count = SIZES[size]
  return {
    name: `${size}/filter, then random`,
    peer: true,
    rounds: 3,
    subject() {
      const list = endpoints(count)
      const ops = Math.max(1, OPS / count)
      return {
        ops,
        run() {
          let one: EndpointInput | undefined
          for (let i = 0; i < ops; i++) {
            const usable = list.filter(each => each.health === 'healthy' && each.enabled !== false)
            const base = usable.filter(each => each.tags!.length === 0)
            one = base[Math.floor(Math.random() * base.length)]
          }
          return one
        },
        check: isBase,
      }
    },
  }
}

/** `selectInstances` of the npm package on a list that it has already, and a weighted draw from what it gives. */
function nacosClient(size: Size): Row {
  const count = SIZES[size]
  return {
    name: `${size}/nacos selectInstances, then weighted random`,
    peer: true,
    rounds: 2,
    async subject() {
      const { NacosNamingClient } = createRequire(import.meta.url)('nacos')
      const hosts = endpoints(count).map(one => ({ ...one, ip: one.host, healthy: true, enabled: true, weight: 1 }))
      const client = Object.create(NacosNamingClient.prototype)
      client._hostReactor = { getServiceInfo: async () => ({ hosts }) }
      const ops = Math.max(1, OPS / count)
      return {
        ops,
        asynchronous: true,
        async run() {
          let one: EndpointInput | undefined
          for (let i = 0; i < ops; i++) {
            const usable: typeof hosts = await client.selectInstances(SERVICE)
            let left = 0
            for (const each of usable) left += each.weight
            left *= Math.random()
            one = usable.find(each => {
              left -= each.weight
              return left < 0
            })
          }
          return one
        },
        check: result => expect((result as { weight?: number } | undefined)?.weight === 1, 'no endpoint'),
      }
    },
  }
}

function pickTable(balancer: Balancer): Table {
  const sizes = Object.keys(SIZES) as Size[]
  const variants = Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]
  const targets: Target[] = sizes.flatMap(size => [
    { row: `${size}/base`, figure: 'ns', per: `${size}/bare array`, atMost: 2 },
    ...variants.map(variant => ({ row: `${size}/${variant}`, figure: 'bytes', atMost: 0 })),
  ])
  targets.push({ row: '10k/base', figure: 'ns', per: '10/base', atMost: 2.5 })
  if (balancer === 'round-robin') targets.push({ row: '100k/base', figure: 'ns', per: '10/base', atMost: 1.3 })
  return {
    name: `discovery/pick/${balancer}`,
    about:
      '`resolver.pick` by the number of endpoints of the service; three of five are base, one is in the lane. The floor is the same algorithm, with the same generator, on an array at hand: no service to find by name, no lane, no health. `nacos` knows no lanes.',
    rows: sizes.flatMap(size => [
      bare(size, balancer),
      bareMap(size, balancer),
      ...(balancer === 'weighted-random' && size !== '100k' ? [filterThenRandom(size), nacosClient(size)] : []),
      ...variants.map(variant => pick(size, variant, balancer)),
      ...(balancer === 'least-request' ? [] : [pick(size, 'base', balancer, true)]),
    ]),
    targets,
  }
}

/** A push as it comes from a registry: new objects every time, one endpoint of another weight. */
function pushes(count: number): (turn: number) => EndpointInput[] {
  const random = seeded(7)
  return turn => {
    const list = JSON.parse(JSON.stringify(endpoints(count))) as { weight?: number }[]
    list[Math.floor(random() * count)]!.weight = 2 + (turn % 2)
    return list as unknown as EndpointInput[]
  }
}

function rebuild(size: '1k' | '10k'): Row[] {
  const count = SIZES[size]
  return [
    {
      name: `${size}/an object per endpoint`,
      floor: true,
      subject() {
        const next = pushes(count)
        let turn = 0
        let list = next(turn)
        return {
          prepare() {
            list = next(++turn)
          },
          run: () =>
            list.map(({ host, port, weight, health, tags, metadata }) => ({
              address: `${host}:${port}`,
              host,
              port,
              weight,
              health,
              tags,
              metadata,
            })),
          check: result => expect((result as unknown[]).length === count, 'not all endpoints'),
        }
      },
    },
    {
      name: `${size}/one changed`,
      async subject() {
        const next = pushes(count)
        const [resolver, source] = await resolverOf(next(0), 'weighted-random')
        let turn = 0
        let list = next(turn)
        return {
          prepare() {
            list = next(++turn)
          },
          run() {
            source.listener!.snapshot(list)
            return resolver.pick(SERVICE, undefined)
          },
          check(result) {
            expect((result as Choice).outcome === 'base', 'no base endpoint')
            const { base, lanes } = resolver.state(SERVICE)!
            const all = base.endpoints + [...lanes.values()].reduce((sum, one) => sum + one.endpoints, 0)
            expect(all === count, `${all} endpoints of ${count}`)
          },
          close: () => resolver.close(),
        }
      },
    },
  ]
}

export const discovery: readonly Table[] = [
  ...BALANCERS.map(pickTable),
  {
    name: 'discovery/rebuild',
    about: 'A push of a whole service in which one endpoint changed, from new objects to the table in use.',
    rows: [...rebuild('1k'), ...rebuild('10k')],
    targets: [
      { row: '1k/one changed', figure: 'ns', per: '1k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', per: '10k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', atMost: 10_000_000 },
    ],
  },
]
