import { parseLane } from '@laneway/core'
import { serviceHandle } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'
import {
  type BalancerName,
  type Choice,
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolverOptions,
} from '../src/index.js'

// A model of the design that knows no tables, pickers or pre-made choices: filters over the list, top to bottom.

interface Answer {
  readonly outcome: string
  readonly served: string | undefined
  /** Addresses of which any may be chosen. */
  readonly addresses: readonly string[]
}

type Policy = Required<Pick<LaneResolverOptions, 'whenLaneMissing' | 'whenLaneUnavailable' | 'baseEmpty'>>

function model(
  endpoints: readonly EndpointInput[],
  lane: string | undefined,
  tried: Set<string>,
  policy: Policy,
): Answer {
  const address = (one: EndpointInput) => `${one.host}:${one.port}`
  const enabled = (one: EndpointInput) => (one.enabled ?? true) && one.weight !== 0
  const usable = (one: EndpointInput) => enabled(one) && one.health !== 'unhealthy' && !tried.has(address(one))
  const untriedFirst = (list: readonly EndpointInput[]) => {
    const untried = list.filter(one => !tried.has(address(one)))
    return untried.length > 0 ? untried : list
  }
  const answer = (outcome: string, served: string | undefined, list: readonly EndpointInput[]) => ({
    outcome,
    served,
    addresses: list.map(address),
  })
  const asked = lane === undefined ? [] : lane.split(',')
  const tags = asked.includes('base') ? asked.slice(0, asked.indexOf('base')) : asked
  const inLane = (tag: string) => endpoints.filter(one => one.tags?.includes(tag))
  const base = endpoints.filter(one => (one.tags ?? []).length === 0)

  for (const tag of tags) {
    const some = inLane(tag).filter(usable)
    if (some.length > 0) return answer('lane', tag, some)
  }
  let reason = 'base'
  if (tags.length > 0) {
    const members = tags.some(tag => inLane(tag).length > 0)
    const action = members ? policy.whenLaneUnavailable : policy.whenLaneMissing
    if (action === 'fail') return answer('lane-required', undefined, [])
    for (const tag of action === 'panic' ? tags : []) {
      const some = inLane(tag).filter(enabled)
      if (some.length > 0) return answer('panic', tag, untriedFirst(some))
    }
    reason = members ? 'fallback-unavailable' : 'fallback-missing'
  }
  if (base.some(usable)) return answer(reason, undefined, base.filter(usable))
  if (base.some(enabled)) return answer('panic', undefined, untriedFirst(base.filter(enabled)))
  if (base.length === 0 && tags.length === 0 && policy.baseEmpty === 'any') {
    const all = endpoints.filter(usable)
    const some = all.length > 0 ? all : untriedFirst(endpoints.filter(enabled))
    if (some.length > 0) return answer('panic', 'any', some)
  }
  return answer('no-base', undefined, [])
}

const TAGS = ['gray', 'gray-2', 'blue']

const endpoints: fc.Arbitrary<EndpointInput[]> = fc
  .array(
    fc.record({
      weight: fc.constantFrom(0, 1, 1, 3, 0.5),
      health: fc.constantFrom('healthy', 'unknown', 'unhealthy'),
      enabled: fc.constantFrom(true, true, true, false),
      tags: fc.oneof(fc.constant([] as string[]), fc.subarray(TAGS)),
    }),
    { maxLength: 8 },
  )
  .map(list => list.map((one, index) => ({ ...one, host: '10.0.0.1', port: index + 1 }) as EndpointInput))

const lanes = fc.oneof(
  fc.constant(undefined),
  fc.array(fc.constantFrom(...TAGS, 'none', 'base'), { minLength: 1, maxLength: 4 }).map(tags => tags.join(',')),
)

const policies: fc.Arbitrary<Policy> = fc.record({
  whenLaneMissing: fc.constantFrom('base', 'fail'),
  whenLaneUnavailable: fc.constantFrom('base', 'fail', 'panic'),
  baseEmpty: fc.constantFrom('fail', 'any'),
})

const balancers = fc.constantFrom<BalancerName>('weighted-random', 'round-robin', 'least-request')

const cases = fc.record({
  snapshots: fc.array(endpoints, { minLength: 1, maxLength: 3 }),
  requests: fc.array(
    fc.record({ lane: lanes, tried: fc.subarray([1, 2, 3, 4, 5, 6, 7, 8].map(port => `10.0.0.1:${port}`)) }),
    { minLength: 1, maxLength: 6 },
  ),
  policy: policies,
  balancer: balancers,
})

t.test('a choice is always what the model says, after any series of snapshots, and explain says the same', async t => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ snapshots, requests, policy, balancer }) => {
      const source = createStaticSource({ s: snapshots[0]! })
      const resolver = createLaneResolver({
        sources: [source],
        services: ['s'],
        balancer,
        warn: () => {},
        env: {},
        ...policy,
      })
      const handle = serviceHandle<Choice>(resolver, { hostname: 's', port: undefined, secure: false })
      check(handle.match() === 's', 'the handle finds its service')
      for (const snapshot of snapshots.slice(1)) source.update({ s: snapshot })
      const last = snapshots.at(-1)!
      for (const { lane, tried } of requests) {
        const expected = model(last, lane, new Set(tried), policy)
        const explained = resolver.explain('s', lane, new Set(tried))
        for (let repeat = 0; repeat < 4; repeat++) {
          const by = repeat % 2 === 0 ? resolver : handle
          const choice = by.pick('s', parseLane(lane), new Set(tried))
          const context = JSON.stringify({ last, lane, tried, policy, expected, choice })
          check(choice.outcome === expected.outcome, context)
          check(expected.served === 'any' || choice.served === expected.served, context)
          const address = choice.endpoint?.address
          check(address === undefined ? expected.addresses.length === 0 : expected.addresses.includes(address), context)
        }
        check(explained.outcome === expected.outcome, `explain: ${JSON.stringify({ explained, expected })}`)
        check(
          JSON.stringify([...explained.candidates].sort()) === JSON.stringify([...expected.addresses].sort()),
          `explain: ${JSON.stringify({ explained, expected })}`,
        )
      }
      await resolver.close()
    }),
    { numRuns: 600 },
  )
  t.pass()
})

t.test('base traffic never reaches a lane endpoint, and a lane never another lane', async t => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ snapshots, requests, policy, balancer }) => {
      const source = createStaticSource({ s: snapshots[0]! })
      const options = { ...policy, balancer, baseEmpty: 'fail', env: {} } as const
      const resolver = createLaneResolver({ sources: [source], services: ['s'], ...options })
      for (const snapshot of snapshots) {
        source.update({ s: snapshot })
        for (const { lane, tried } of requests) {
          const { endpoint } = resolver.pick('s', parseLane(lane), new Set(tried))
          if (endpoint === undefined || endpoint.tags.length === 0) continue
          const tags = lane?.split(',') ?? []
          check(
            endpoint.tags.some(tag => tags.includes(tag)),
            `${lane} went to ${endpoint.tags}`,
          )
        }
      }
      await resolver.close()
    }),
    { numRuns: 400 },
  )
  t.pass()
})

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}
