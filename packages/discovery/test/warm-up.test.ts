import t from 'tap'
import type { EndpointInput } from '../src/index.js'
import { clocked } from './clocked.js'
import { addressOf, endpoint, type OneService, oneService } from './one-service.js'
import { seeded } from './seeded.js'

const PICKS = 20_000

function shareOf({ pick }: Pick<OneService, 'pick'>, input: EndpointInput, lane?: string): number {
  let count = 0
  for (let i = 0; i < PICKS; i++) if (pick(lane).endpoint?.address === addressOf(input)) count++
  return count / PICKS
}

/** What a new endpoint beside `others` warm ones gets at a factor of its weight. */
const beside = (others: number, factor: number) => factor / (others + factor)
const about = (found: number, expected: number) => Math.abs(found - expected) < 0.012

const curves: [name: string, options: object, passed: number, factor: number][] = [
  ['a straight line, at the start', {}, 0, 0.1],
  ['a straight line, a quarter', {}, 2500, 0.25],
  ['a straight line, a half', {}, 5000, 0.5],
  ['Envoy, aggression 2, a quarter', { slowStartAggression: 2 }, 2500, 0.5],
  ['MSE, curve 2, a half', { slowStartAggression: 0.5 }, 5000, 0.25],
  ['at least slowStartMinShare', { slowStartMinShare: 0.4 }, 2500, 0.4],
  ['the whole weight at the end', {}, 10_000, 1],
]

for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
  for (const [name, options, passed, factor] of curves) {
    t.test(`${balancer}: ${name}`, async t => {
      const warm = [endpoint({ tags: ['gray'] }), endpoint({ tags: ['gray'] })]
      const fresh = endpoint({ tags: ['gray'] })
      const service = clocked(t, warm, { balancer, slowStartMs: 10_000, random: seeded(4), ...options })
      service.at(1000)
      service.update([...warm, fresh])
      // A clock without timers looks at the time with each pick.
      service.at(1000 + passed)
      service.pick('gray')
      const share = shareOf(service, fresh, 'gray')
      t.ok(about(share, beside(2, factor)), `${share}, not ${beside(2, factor)}`)
    })
  }
}

t.test('off by default', async t => {
  const warm = [endpoint(), endpoint()]
  const fresh = endpoint()
  const service = clocked(t, warm, { random: seeded(4) })
  service.update([...warm, fresh])
  t.ok(about(shareOf(service, fresh), 1 / 3))
})

t.test('the endpoints of the first list are warm, unless their registration says otherwise', async t => {
  const endpoints = [endpoint(), endpoint(), endpoint({ registeredAt: Date.now() - 1000 })]
  const service = clocked(t, endpoints, { slowStartMs: 100_000, random: seeded(4) })
  t.ok(about(shareOf(service, endpoints[2]!), beside(2, 0.1)))
  const { steps, reason } = service.resolver.explain('sc-B', undefined)
  t.equal(steps[0]?.warming, 1)
  t.equal(reason, 'the request has no lane; 3 of 3 instances are usable, 1 of them still warming up')
})

t.test('registration decides, not when it was seen; a clock that is ahead prolongs nothing', async t => {
  const warm = [endpoint(), endpoint()]
  const old = endpoint({ registeredAt: Date.now() - 60_000 })
  const future = endpoint({ registeredAt: Date.now() + 3_600_000 })
  const service = clocked(t, warm, { slowStartMs: 10_000, random: seeded(4) })
  service.update([...warm, old])
  t.ok(about(shareOf(service, old), 1 / 3), 'registered long ago')
  service.update([...warm, future])
  t.ok(about(shareOf(service, future), beside(2, 0.1)))
  service.at(10_000)
  t.ok(about(shareOf(service, future), 1 / 3))
})

t.test('an endpoint that was unhealthy, disabled or away begins anew', async t => {
  const [one, two, three] = [endpoint(), endpoint(), endpoint()] as const
  const service = clocked(t, [one, two, three], { slowStartMs: 10_000, random: seeded(4) })
  const ways: [string, EndpointInput[]][] = [
    ['unhealthy', [one, two, { ...three, health: 'unhealthy' }]],
    ['disabled', [one, two, { ...three, enabled: false }]],
    ['away', [one, two]],
  ]
  let now = 0
  for (const [way, without] of ways) {
    service.update(without)
    service.update([one, two, { ...three, health: 'healthy' }])
    t.ok(about(shareOf(service, three), beside(2, 0.1)), way)
    now += 20_000
    service.at(now)
    t.ok(about(shareOf(service, three), 1 / 3), `${way}, and warm again`)
  }
})

t.test('a push about other endpoints does not interrupt it, and a change of its own weight neither', async t => {
  const [one, two, fresh] = [endpoint(), endpoint(), endpoint()] as const
  const service = clocked(t, [one, two], { slowStartMs: 10_000, random: seeded(4) })
  service.update([one, two, fresh])
  service.at(5000)
  service.update([one, { ...two, metadata: { any: 'thing' } }, { ...fresh, weight: 2 }])
  t.ok(about(shareOf(service, fresh), beside(2, 1)), 'half of weight 2')
})

t.test('an endpoint that is alone in its lane gets everything, and the lane is never left for it', async t => {
  const service = clocked(t, [endpoint()], { slowStartMs: 10_000 })
  const gray = endpoint({ tags: ['gray'] })
  service.update([endpoint(), gray])
  for (let i = 0; i < 100; i++) t.equal(service.outcome('gray'), 'lane of gray at 1')
})

t.test('an own zone that is warming up has little capacity', async t => {
  const far = [endpoint({ zone: 'b' }), endpoint({ zone: 'b' })]
  const near = endpoint({ zone: 'a' })
  const service = clocked(t, far, { slowStartMs: 10_000, zone: 'a', random: seeded(4) })
  service.update([...far, near])
  // Of the capacity a has 0.1 of 2.1, of the callers a half.
  t.ok(about(shareOf(service, near), (0.1 / 2.1) * 2))
  service.at(10_000)
  t.ok(about(shareOf(service, near), 2 / 3))
})

t.test('a timer runs only while something warms up, holds no process open, and close ends it', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  const warm = [endpoint(), endpoint()]
  const fresh = endpoint()
  const service = oneService(t, warm, { slowStartMs: 200, random: seeded(4), readyTimeoutMs: 1 })
  // Timers that hold a process open are active resources: ours are not.
  const before = timers()
  service.update([...warm, fresh])
  t.equal(timers(), before)
  const { resolver } = service
  t.equal(resolver.explain('sc-B', undefined).steps[0]?.warming, 1)
  while (resolver.explain('sc-B', undefined).steps[0]?.warming !== undefined) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.ok(about(shareOf(service, fresh), 1 / 3), 'its weight is whole, without any push')
})
