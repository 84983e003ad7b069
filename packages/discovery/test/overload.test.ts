import t from 'tap'
import type { Choice } from '../src/index.js'
import { ReconnectBudget } from '../src/load/reconnect-budget.js'
import { clocked } from './clocked.js'
import { addressOf, endpoint, oneService } from './one-service.js'
import { seeded } from './seeded.js'

const gray = { tags: ['gray'] }
const sick = { health: 'unhealthy' } as const

for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
  t.test(`${balancer}: no endpoint ever has more than maxInFlight, and every place is used`, async t => {
    const endpoints = [endpoint({ weight: 100 }), endpoint(), endpoint({ weight: 0.01 })]
    const { pick, resolver } = oneService(t, endpoints, { maxInFlight: 4, balancer })
    const inFlight = new Map<string, number>()
    const choices: Choice[] = []
    for (let i = 0; i < 12; i++) {
      const choice = pick()
      t.equal(choice.outcome, 'base')
      resolver.started(choice)
      choices.push(choice)
      inFlight.set(choice.endpoint!.address, (inFlight.get(choice.endpoint!.address) ?? 0) + 1)
    }
    t.strictSame([...inFlight.values()], [4, 4, 4])
    const full = pick()
    t.match(full, { outcome: 'overloaded', endpoint: undefined, served: undefined })
    resolver.finished(choices[5]!, 'ok')
    t.equal(pick().endpoint?.address, choices[5]!.endpoint!.address, 'the place that became free')
  })
}

for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
  t.test(`${balancer}: the share of a full endpoint is spread over all others`, async t => {
    const endpoints = Array.from({ length: 5 }, () => endpoint())
    const { pick, resolver } = oneService(t, endpoints, { maxInFlight: 1, balancer, random: seeded(8) })
    const full = pick()
    resolver.started(full)
    const counts = new Map<string | undefined, number>()
    for (let i = 0; i < 4000; i++) {
      const { address } = pick().endpoint!
      counts.set(address, (counts.get(address) ?? 0) + 1)
    }
    t.equal(counts.size, 4)
    for (const count of counts.values()) t.ok(Math.abs(count - 1000) < 150, `${[...counts.values()]}`)
  })
}

t.test('a full lane is not left: neither for base nor for another lane, whatever the policy', async t => {
  const endpoints = [endpoint(), endpoint(gray), endpoint({ tags: ['gray-2'] })]
  for (const whenLaneUnavailable of ['base', 'fail', 'panic'] as const) {
    const { pick, outcome, resolver } = oneService(t, endpoints, { maxInFlight: 1, whenLaneUnavailable })
    resolver.started(pick('gray'))
    t.equal(outcome('gray'), 'overloaded')
    t.equal(outcome('gray,gray-2'), 'overloaded')
    t.equal(outcome('gray-2,gray'), 'lane of gray-2 at 2')
    t.equal(outcome(), 'base at 0')
  }
})

t.test('the refusal has its own code, says what is full and what to do', async t => {
  const { pick, resolver } = oneService(t, [endpoint(gray), endpoint(gray), endpoint({ ...gray, ...sick })], {
    maxInFlight: 1,
  })
  for (let i = 0; i < 2; i++) resolver.started(pick('gray'))
  const choice = pick('gray')
  const lane = { header: 'gray', tags: ['gray'] }
  const cause = new Error('the attempt before')
  t.match(resolver.refusal(choice, lane, cause), {
    code: 'LANEWAY_OVERLOADED',
    cause,
    message:
      'LANEWAY_OVERLOADED: sc-B cannot take a request in lane gray: 2 gray instances have maxInFlight requests in flight, ' +
      'and the others cannot serve; send less, start more instances, or raise maxInFlight',
  })
  const { outcome, steps } = resolver.explain('sc-B', 'gray')
  t.equal(outcome, 'overloaded')
  t.match(steps, [{ verdict: 'full', usable: 0, leftOut: { full: 2, unhealthy: 1 } }])
})

t.test('panic keeps to the limit', async t => {
  const base = oneService(t, [endpoint(sick), endpoint(sick)], { maxInFlight: 1 })
  for (let i = 0; i < 2; i++) {
    const choice = base.pick()
    t.equal(choice.outcome, 'panic')
    base.resolver.started(choice)
  }
  t.equal(base.pick().outcome, 'overloaded')
  const threshold = oneService(t, [endpoint(), endpoint(sick), endpoint(sick)], { maxInFlight: 1, panicThreshold: 0.5 })
  for (let i = 0; i < 3; i++) {
    const choice = threshold.pick()
    t.equal(choice.outcome, 'panic')
    threshold.resolver.started(choice)
  }
  t.equal(threshold.pick().outcome, 'overloaded')
  t.equal(threshold.resolver.explain('sc-B', undefined).outcome, 'overloaded')
})

t.test('a full own zone spills over to the others', async t => {
  const endpoints = [endpoint({ zone: 'a' }), endpoint({ zone: 'b' }), endpoint({ zone: 'b' })]
  const { pick, resolver } = oneService(t, endpoints, { maxInFlight: 1, zone: { name: 'a', prefer: 'always' } })
  const zones = []
  for (let i = 0; i < 3; i++) {
    const choice = pick()
    zones.push(choice.endpoint?.zone)
    resolver.started(choice)
  }
  t.strictSame(zones, ['a', 'b', 'b'])
  t.equal(pick().outcome, 'overloaded')
})

t.test('a retry when the only other endpoint is full', async t => {
  const endpoints = [endpoint(), endpoint()]
  const { pick, choiceOf, resolver } = clocked(t, endpoints, { maxInFlight: 1 })
  resolver.started(choiceOf(undefined, endpoints[1]!))
  const choice = pick(undefined, [addressOf(endpoints[0]!)])
  t.equal(choice.outcome, 'overloaded')
  t.match(resolver.refusal(choice, undefined).message, /the instances that have not failed already have maxInFlight/)
})

t.test('an ejected endpoint comes back on trial within the limit, and gets the limit back', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
  const { pick, fail, choiceOf, at, resolver } = clocked(t, endpoints, { maxInFlight: 2 })
  const bad = choiceOf('gray', endpoints[0]!)
  fail(bad)
  at(1001)
  const trial = choiceOf('gray', endpoints[0]!)
  resolver.started(trial)
  for (let i = 0; i < 100; i++) t.not(pick('gray').endpoint?.address, addressOf(endpoints[0]!), 'one at a time')
  resolver.finished(trial, 'ok', 200)
  for (let i = 0; i < 2; i++) resolver.started(choiceOf('gray', endpoints[0]!))
  for (let i = 0; i < 100; i++) t.not(pick('gray').endpoint?.address, addressOf(endpoints[0]!))
})

t.test('responses of 5xx in a row eject an endpoint where they are counted, and others end the series', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray), endpoint()]
  const { choiceOf, seen, resolver } = clocked(t, endpoints, { outlier: { consecutive5xx: 5 } })
  const bad = choiceOf('gray', endpoints[0]!)
  const answer = (status: number, times: number) => {
    for (let i = 0; i < times; i++) resolver.finished(bad, 'ok', status)
  }
  answer(500, 4)
  answer(404, 1)
  answer(503, 4)
  t.equal(seen('gray'), 3)
  answer(599, 1)
  t.equal(seen('gray'), 2)
})

t.test('gateway errors count for themselves: 502, 503 and 504', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
  const { choiceOf, seen, resolver } = clocked(t, endpoints, { outlier: { consecutiveGatewayErrors: 3 } })
  const bad = choiceOf('gray', endpoints[0]!)
  for (const status of [502, 503, 500, 504, 502, 501, 505, 500, 500, 500]) resolver.finished(bad, 'ok', status)
  t.equal(seen('gray'), 3)
  for (const status of [502, 503]) resolver.finished(bad, 'ok', status)
  t.equal(seen('gray'), 3)
  resolver.finished(bad, 'ok', 504)
  t.equal(seen('gray'), 2)
})

t.test('statuses do not count by default', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
  const { choiceOf, seen, resolver } = clocked(t, endpoints)
  const bad = choiceOf('gray', endpoints[0]!)
  for (let i = 0; i < 50; i++) resolver.finished(bad, 'ok', 503)
  t.equal(seen('gray'), 3)
})

t.test('statuses never eject the last usable endpoint of a lane or of base: an error is an answer', async t => {
  const endpoints = [endpoint(gray), endpoint({ ...gray, ...sick }), endpoint(), endpoint()]
  const { choiceOf, outcome, resolver } = clocked(t, endpoints, { outlier: { consecutive5xx: 2, maxEjectedShare: 1 } })
  for (let i = 0; i < 9; i++) resolver.finished(choiceOf('gray', endpoints[0]!), 'ok', 500)
  t.equal(outcome('gray'), 'lane of gray at 0')
  const [one, two] = [2, 3].map(index => choiceOf(undefined, endpoints[index]!))
  for (let i = 0; i < 2; i++) resolver.finished(one!, 'ok', 500)
  t.equal(outcome(), 'base at 3')
  resolver.finished(two!, 'ok', 500)
  t.equal(outcome(), 'base at 3', 'the second stays')
})

t.test(
  'when all endpoints answer with errors, none stays ejected: the others would get its share for nothing',
  async t => {
    const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
    const { choiceOf, seen, resolver } = clocked(t, endpoints, { outlier: { consecutive5xx: 3 } })
    const choices = endpoints.map(one => choiceOf('gray', one))
    const answer = (index: number) => {
      for (let i = 0; i < 3; i++) resolver.finished(choices[index]!, 'ok', 503)
    }
    answer(0)
    answer(1)
    t.equal(seen('gray'), 2)
    answer(2)
    t.equal(seen('gray'), 3)
    answer(0)
    t.equal(seen('gray'), 3)
  },
)

t.test('after the ejection one bad answer ejects again for longer, and a good one ends it', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
  const { choiceOf, seen, resolver, at } = clocked(t, endpoints, { outlier: { consecutive5xx: 4 } })
  const bad = choiceOf('gray', endpoints[0]!)
  const answer = (status: number) => {
    resolver.started(bad)
    resolver.finished(bad, 'ok', status)
  }
  for (let i = 0; i < 4; i++) answer(500)
  t.equal(seen('gray'), 2)
  at(1001)
  t.equal(seen('gray'), 3, 'on trial')
  answer(500)
  t.equal(seen('gray'), 2)
  at(2002)
  t.equal(seen('gray'), 2, 'twice as long')
  at(3003)
  t.equal(seen('gray'), 3)
  answer(200)
  for (let i = 0; i < 3; i++) answer(500)
  t.equal(seen('gray'), 3, 'the series begins anew')
  answer(500)
  t.equal(seen('gray'), 2)
})

t.test('an endpoint that was ejected for its connections and now answers 500 is connected', async t => {
  const endpoints = [endpoint(gray), endpoint(gray), endpoint(gray)]
  const { choiceOf, seen, fail, resolver, at } = clocked(t, endpoints, { outlier: { consecutive5xx: 3 } })
  const bad = choiceOf('gray', endpoints[0]!)
  fail(bad)
  at(1001)
  t.equal(seen('gray'), 3)
  resolver.started(bad)
  resolver.finished(bad, 'ok', 500)
  fail(bad, 4)
  t.equal(seen('gray'), 3, 'the failures of the past are forgotten')
})

t.test('the reconnect budget', async t => {
  let now = 0
  const clock = { now: () => now, injected: true }
  await t.test('in proportion to the requests, on top of a number per second', async t => {
    const budget = new ReconnectBudget({ share: 0.2, perSecond: 1 }, clock)
    const taken = (asks: number) => {
      const before = budget.requests
      // Each reconnect is a request of its own.
      for (let i = 0; i < asks; i++) if (budget.take()) budget.requests++
      return budget.requests - before
    }
    t.equal(taken(50), 10, 'what ten seconds have saved')
    budget.requests += 50
    t.equal(taken(50), 10, 'a fifth of the requests, and none for the reconnects themselves')
    now += 3000
    t.equal(taken(50), 3)
    now += 3_600_000
    t.equal(taken(50), 10, 'no more than ten seconds are saved')
  })
  await t.test('a resolver counts per service, and false means any number', async t => {
    const { resolver, pick } = oneService(t, [endpoint()], { reconnectBudget: { share: 0, perSecond: 0 } })
    t.equal(resolver.mayReconnect(pick()), false)
    const free = oneService(t, [endpoint()], { reconnectBudget: false })
    for (let i = 0; i < 5000; i++) t.equal(free.resolver.mayReconnect(free.pick()), true)
    const usual = oneService(t, [endpoint()])
    let allowed = 0
    while (usual.resolver.mayReconnect(usual.pick())) {
      usual.resolver.started(usual.pick())
      allowed++
    }
    t.ok(allowed >= 1000, `${allowed}`)
  })
})
