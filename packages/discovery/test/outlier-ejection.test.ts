import { channels, type SourceEvent } from '@laneway/core'
import t from 'tap'
import type { Choice } from '../src/index.js'
import { clocked } from './clocked.js'
import { addressOf, endpoint, oneService } from './one-service.js'

const grays = (count: number) => Array.from({ length: count }, () => endpoint({ tags: ['gray'] }))

t.test('consecutive connect errors eject an endpoint, and not one fewer', async t => {
  const endpoints = grays(4)
  const { fail, choiceOf, seen, resolver } = clocked(t, endpoints)
  const bad = choiceOf('gray', endpoints[1]!)
  fail(bad, 4)
  t.equal(seen('gray'), 4)
  resolver.finished(bad, 'ok')
  fail(bad, 4)
  t.equal(seen('gray'), 4, 'a success in between begins anew')
  fail(bad, 1)
  t.equal(seen('gray'), 3)
  t.match(resolver.state('sc-B')?.lanes.get('gray'), { endpoints: 4, usable: 3, ejected: 1 })
})

t.test('a reset or an abort ejects nobody', async t => {
  const endpoints = grays(4)
  const { choiceOf, seen, resolver } = clocked(t, endpoints)
  const bad = choiceOf('gray', endpoints[1]!)
  for (let i = 0; i < 50; i++) resolver.finished(bad, i % 2 === 0 ? 'reset' : 'aborted')
  t.equal(seen('gray'), 4)
})

t.test('a frozen instance gets no more requests after five that had no answer in time', async t => {
  const endpoints = grays(4)
  const { choiceOf, seen, resolver } = clocked(t, endpoints)
  const frozen = choiceOf('gray', endpoints[2]!)
  for (let i = 0; i < 4; i++) resolver.finished(frozen, 'timeout')
  t.equal(seen('gray'), 4)
  resolver.finished(frozen, 'timeout')
  t.equal(seen('gray'), 3)
  const mixed = clocked(t, endpoints)
  const other = mixed.choiceOf('gray', endpoints[1]!)
  mixed.fail(other, 3)
  mixed.resolver.finished(other, 'timeout')
  mixed.resolver.finished(other, 'timeout')
  t.equal(mixed.seen('gray'), 3, 'they count together with connect errors')
})

for (const balancer of ['weighted-random', 'round-robin'] as const) {
  t.test(`an instance that is still frozen holds up one request per trial, not its share: ${balancer}`, async t => {
    const both = endpoint({ tags: ['gray', 'blue'] })
    const endpoints = [both, ...grays(2), endpoint({ tags: ['blue'] }), endpoint({ tags: ['blue'] })]
    const { fail, choiceOf, seen, at, resolver } = clocked(t, endpoints, { balancer })
    const bad = choiceOf('gray', both)
    resolver.started(bad)
    fail(bad)
    at(1000)
    const trial = choiceOf('gray', both)
    resolver.started(trial)
    t.strictSame([seen('gray'), seen('blue')], [2, 2], 'one is on its way; the one from before does not count')
    resolver.finished(trial, 'aborted')
    t.equal(seen('blue'), 3, 'it was given up: the next one')
    resolver.started(trial)
    resolver.finished(bad, 'timeout')
    t.strictSame([seen('gray'), seen('blue')], [2, 2], 'the one from before is late: one is still on its way')
    resolver.finished(trial, 'aborted')
    t.equal(seen('blue'), 3, 'and it decided nothing')
    resolver.started(trial)
    resolver.finished(trial, 'timeout')
    t.strictSame([seen('gray'), seen('blue')], [2, 2], 'ejected again, at once')
    at(3000)
    const second = choiceOf('blue', both)
    resolver.started(second)
    t.equal(seen('gray'), 2)
    resolver.finished(second, 'ok')
    for (let i = 0; i < 50; i++) resolver.started(bad)
    t.strictSame([seen('gray'), seen('blue')], [3, 3], 'answered: all its share, however many are in flight')
  })
}

t.test('a trial that nothing decides ends, and outlasts a snapshot', async t => {
  const endpoints = grays(3)
  const { fail, choiceOf, seen, at, resolver, update } = clocked(t, endpoints)
  const bad = choiceOf('gray', endpoints[1]!)
  fail(bad)
  at(1000)
  resolver.started(choiceOf('gray', endpoints[1]!))
  update(endpoints.map(one => ({ ...one, zone: 'b' })))
  t.equal(seen('gray'), 2)
  at(2999)
  t.equal(seen('gray'), 2, 'as long as the next ejection')
  at(3000)
  t.equal(seen('gray'), 3)
  fail(choiceOf('gray', endpoints[1]!), 1)
  t.equal(seen('gray'), 2, 'still nothing was answered: one failure suffices')
})

t.test('an ejection ends, and doubles up to a limit while no success follows', async t => {
  const endpoints = grays(4)
  const { fail, choiceOf, seen, at, resolver } = clocked(t, endpoints, {
    outlier: { ejectionMs: 100, maxEjectionMs: 350, consecutiveFailures: 3 },
  })
  const bad = choiceOf('gray', endpoints[0]!)
  let now = 0
  for (const length of [100, 200, 350, 350]) {
    fail(bad, length === 100 ? 3 : 1)
    t.equal(seen('gray'), 3, `ejected at ${now}`)
    at(now + length - 1)
    t.equal(seen('gray'), 3, `still ejected after ${length - 1} ms`)
    now = at(now + length)
    t.equal(seen('gray'), 4, `back after ${length} ms, on probation`)
  }
  resolver.finished(bad, 'ok')
  fail(bad, 2)
  t.equal(seen('gray'), 4, 'a success forgives all')
  fail(bad, 1)
  at(now + 99)
  t.equal(seen('gray'), 3)
  at(now + 100)
  t.equal(seen('gray'), 4, 'and the next ejection is as short as the first')
})

t.test('the ejected share of a lane is capped', async t => {
  const endpoints = grays(10)
  const { fail, choiceOf, seen } = clocked(t, endpoints, { outlier: { maxEjectedShare: 0.3 } })
  for (const input of endpoints.map(one => choiceOf('gray', one))) fail(input)
  t.equal(seen('gray'), 7)
})

t.test('one endpoint of a lane may always be ejected: then base serves, by policy', async t => {
  const endpoints = [endpoint(), endpoint({ tags: ['gray'] })]
  const falling = clocked(t, endpoints)
  falling.fail(falling.pick('gray'))
  t.equal(falling.outcome('gray'), 'fallback-unavailable at 0')
  falling.at(1000)
  t.equal(falling.outcome('gray'), 'lane of gray at 1')
  const failing = clocked(t, endpoints, { whenLaneUnavailable: 'fail' })
  failing.fail(failing.pick('gray'))
  t.equal(failing.outcome('gray'), 'lane-required')
  const panicking = clocked(t, endpoints, { whenLaneUnavailable: 'panic' })
  panicking.fail(panicking.pick('gray'))
  t.equal(panicking.outcome('gray'), 'panic of gray at 1', 'panic ignores ejection')
})

const slow = (choice: Choice, resolver: { finished(choice: Choice, end: 'timeout'): void }, times = 30) => {
  for (let i = 0; i < times; i++) resolver.finished(choice, 'timeout')
}

t.test('timeouts never eject the last usable endpoint of a lane, however many callers lose patience', async t => {
  const others = [
    [],
    [endpoint({ tags: ['gray'], enabled: false })],
    [endpoint({ tags: ['gray'], weight: 0 }), endpoint({ tags: ['gray'], health: 'unhealthy' })],
    [endpoint({ tags: ['blue'] })],
  ]
  for (const [index, more] of others.entries()) {
    const only = endpoint({ tags: ['gray'] })
    const { choiceOf, outcome, resolver, fail } = clocked(t, [endpoint(), only, ...more])
    const choice = choiceOf('gray', only)
    slow(choice, resolver)
    t.equal(outcome('gray'), 'lane of gray at 1', `case ${index}`)
    fail(choice, 4)
    t.equal(outcome('gray'), 'lane of gray at 1', `case ${index}: connect errors count for themselves`)
    fail(choice, 1)
    t.equal(outcome('gray'), 'fallback-unavailable at 0', `case ${index}: enough of them eject it`)
  }
})

t.test('timeouts eject a tenth, and at least one; connect errors more', async t => {
  for (const [count, most] of [
    [2, 1],
    [9, 1],
    [19, 1],
    [20, 2],
    [30, 3],
  ] as const) {
    const endpoints = grays(count)
    const { choiceOf, fail, resolver } = clocked(t, endpoints)
    const choices = endpoints.map(one => choiceOf('gray', one))
    // One more than may be ejected; the others answer, so it stays at that.
    for (const choice of choices.slice(0, most + 1)) slow(choice, resolver)
    t.equal(resolver.state('sc-B')?.lanes.get('gray')?.ejected, count === 2 ? 0 : most, `of ${count}`)
    if (count === 30) for (const choice of choices.slice(10, 15)) fail(choice)
    if (count === 30) t.equal(resolver.state('sc-B')?.lanes.get('gray')?.ejected, 8)
  }
})

t.test(
  'when most of the others fail, too, those ejected return, and the lane has a pause; other lanes have none',
  async t => {
    const blues = [endpoint({ tags: ['blue'] }), endpoint({ tags: ['blue'] })]
    const endpoints = [...grays(5), ...blues]
    const { choiceOf, seen, resolver, at } = clocked(t, endpoints)
    const [one, two, three, four, five] = endpoints.slice(0, 5).map(input => choiceOf('gray', input))
    slow(one!, resolver, 5)
    slow(two!, resolver, 5)
    slow(three!, resolver, 5)
    t.equal(seen('gray'), 4, 'two of the other four fail')
    slow(four!, resolver, 5)
    t.equal(seen('gray'), 5, 'three of four')
    slow(five!, resolver)
    slow(one!, resolver)
    at(29_999)
    slow(one!, resolver)
    t.equal(seen('gray'), 5)
    slow(choiceOf('blue', blues[0]!), resolver, 5)
    t.equal(seen('blue'), 1)
    at(30_000)
    slow(one!, resolver, 5)
    t.equal(seen('gray'), 5, 'the others still fail')
    for (const choice of [two, three, four, five]) resolver.finished(choice!, 'ok')
    at(60_000)
    slow(one!, resolver, 5)
    t.equal(seen('gray'), 4)
  },
)

t.test('timeouts never eject the last usable endpoint of base', async t => {
  const endpoints = [endpoint(), ...Array.from({ length: 3 }, () => endpoint({ health: 'unhealthy' }))]
  const { choiceOf, outcome, resolver, fail } = clocked(t, endpoints)
  const choice = choiceOf(undefined, endpoints[0]!)
  slow(choice, resolver)
  t.equal(outcome(), 'base at 0')
  fail(choice)
  t.match(outcome(), /^panic/, 'connect errors may: half of base is up to this client')
})

t.test('an endpoint of two lanes that is the last of one is not ejected by timeouts', async t => {
  const both = endpoint({ tags: ['gray', 'blue'] })
  const { choiceOf, seen, resolver } = clocked(t, [both, ...grays(2)])
  slow(choiceOf('blue', both), resolver)
  t.strictSame([seen('gray'), seen('blue')], [3, 1])
})

t.test('an endpoint that timeouts ejected comes back when it is the last usable one', async t => {
  const endpoints = grays(2)
  const cases: Record<string, (service: ReturnType<typeof clocked>) => void> = {
    'the other leaves': ({ update }) => update(endpoints.slice(0, 1)),
    'the other is unhealthy': ({ update }) => update([endpoints[0]!, { ...endpoints[1]!, health: 'unhealthy' }]),
    'the other is disabled': ({ update }) => update([endpoints[0]!, { ...endpoints[1]!, enabled: false }]),
    'the other cannot be connected to': ({ fail, choiceOf }) => fail(choiceOf('gray', endpoints[1]!)),
  }
  for (const onTrial of [false, true]) {
    for (const [name, happen] of Object.entries(cases)) {
      const service = clocked(t, endpoints, { outlier: { maxEjectedShare: 1 } })
      const { choiceOf, seen, resolver, at, pick } = service
      const choice = choiceOf('gray', endpoints[0]!)
      slow(choice, resolver)
      t.equal(seen('gray'), 1, name)
      if (onTrial) {
        at(1000)
        resolver.started(choiceOf('gray', endpoints[0]!))
      }
      happen(service)
      t.match(pick('gray'), { outcome: 'lane', endpoint: choice.endpoint }, `${name}, on trial: ${onTrial}`)
      slow(choice, resolver)
      t.equal(pick('gray').outcome, 'lane', `${name}: and stays`)
    }
  }
})

t.test('timeouts do not prolong the ejection of a last endpoint that came back', async t => {
  const only = endpoint({ tags: ['gray'] })
  const { choiceOf, outcome, resolver, fail, at } = clocked(t, [endpoint(), only])
  fail(choiceOf('gray', only))
  at(1000)
  const trial = choiceOf('gray', only)
  resolver.started(trial)
  resolver.finished(trial, 'timeout')
  t.equal(outcome('gray'), 'lane of gray at 1')
  fail(trial, 1)
  t.equal(outcome('gray'), 'fallback-unavailable at 0', 'another connect error does')
})

t.test('the last of base is never ejected', async t => {
  const alone = clocked(t, [endpoint(), endpoint({ tags: ['gray'] })])
  alone.fail(alone.pick(), 50)
  t.equal(alone.outcome(), 'base at 0')
  const endpoints = [endpoint(), endpoint()]
  const two = clocked(t, endpoints)
  for (const choice of endpoints.map(one => two.choiceOf(undefined, one))) two.fail(choice)
  t.equal(two.seen(), 1)
})

t.test('panic ignores health and ejection, never enabled: false or weight 0', async t => {
  const endpoints = [
    endpoint(),
    endpoint({ health: 'unhealthy' }),
    endpoint({ enabled: false }),
    endpoint({ weight: 0 }),
    endpoint(),
  ]
  const { fail, choiceOf, pick } = clocked(t, endpoints, { outlier: { maxEjectedShare: 1 } })
  for (const index of [0, 4]) fail(choiceOf(undefined, endpoints[index]!))
  const seen = new Set<string>()
  for (let i = 0; i < 300; i++) {
    const choice = pick()
    t.equal(choice.outcome, 'panic')
    seen.add(choice.endpoint!.address)
  }
  t.strictSame([...seen].sort(), [0, 1, 4].map(index => addressOf(endpoints[index]!)).sort())
})

t.test('an endpoint of two lanes is ejected in both', async t => {
  const both = endpoint({ tags: ['gray', 'blue'] })
  const endpoints = [both, ...grays(2), endpoint({ tags: ['blue'] }), endpoint({ tags: ['blue'] })]
  const { fail, choiceOf, seen, at } = clocked(t, endpoints)
  fail(choiceOf('gray', both), 3)
  fail(choiceOf('blue', both), 2)
  t.equal(seen('gray'), 2)
  t.equal(seen('blue'), 2)
  at(1000)
  t.equal(seen('gray'), 3)
  t.equal(seen('blue'), 3)
})

t.test('an ejection outlasts snapshots, and ends when the registry says the endpoint recovered', async t => {
  const endpoints = grays(4)
  const { fail, choiceOf, seen, update, at } = clocked(t, endpoints)
  fail(choiceOf('gray', endpoints[2]!))
  update(endpoints.map(one => ({ ...one, zone: 'b' })))
  t.equal(seen('gray'), 3, 'kept by address')
  at(999)
  t.equal(seen('gray'), 3)
  at(1000)
  t.equal(seen('gray'), 4)
  fail(choiceOf('gray', endpoints[2]!), 1)
  update(endpoints.filter((_, index) => index !== 2))
  update(endpoints)
  t.equal(seen('gray'), 4, 'gone and back: a new instance, perhaps')
  fail(choiceOf('gray', endpoints[2]!))
  update(endpoints.map((one, index) => (index === 2 ? { ...one, health: 'unhealthy' } : one)))
  update(endpoints.map(one => ({ ...one, health: 'healthy' })))
  t.equal(seen('gray'), 4, 'unhealthy and healthy again')
})

t.test('many ejections in a large lane leave every other endpoint in service', async t => {
  const endpoints = grays(3000)
  const { fail, choiceOf, pick, at, resolver } = clocked(t, endpoints)
  await resolver.ready('sc-B')
  const ejected = new Set<string>()
  for (let i = 0; i < 500; i++) {
    const choice = pick('gray')
    ejected.add(choice.endpoint!.address)
    fail(choice)
    t.notOk(ejected.has(pick('gray').endpoint!.address))
  }
  t.equal(ejected.size, 500)
  t.match(resolver.state('sc-B')?.lanes.get('gray'), { usable: 2500, ejected: 500 })
  for (let i = 0; i < 5000; i++)
    if (ejected.has(pick('gray').endpoint!.address)) t.fail('an ejected endpoint was chosen')
  at(1000)
  t.match(resolver.state('sc-B')?.lanes.get('gray'), { ejected: 500 }, 'the next pick readmits')
  pick('gray')
  t.match(resolver.state('sc-B')?.lanes.get('gray'), { usable: 3000, ejected: 0 })
  t.ok(choiceOf('gray', endpoints.find(one => ejected.has(addressOf(one)))!))
})

t.test('requests that began before an ejection do not lengthen it', async t => {
  const endpoints = grays(3)
  const { fail, choiceOf, seen, at } = clocked(t, endpoints)
  const bad = choiceOf('gray', endpoints[0]!)
  fail(bad, 50)
  at(1000)
  t.equal(seen('gray'), 3)
})

t.test('without an injected clock a timer readmits', async t => {
  const endpoints = grays(3)
  const { pick, resolver } = oneService(t, endpoints, { outlier: { consecutiveFailures: 1, ejectionMs: 5 } })
  const bad = pick('gray')
  // A long turn: the timer of the ejection counts from its start, and fires before the ejection is over.
  const until = performance.now() + 20
  while (performance.now() < until);
  const returned = new Promise<SourceEvent>(resolve => {
    const listener = (event: unknown) => {
      if ((event as SourceEvent).state !== 'returned') return
      channels.source.unsubscribe(listener)
      resolve(event as SourceEvent)
    }
    channels.source.subscribe(listener)
  })
  resolver.finished(bad, 'connect-error')
  t.equal(resolver.state('sc-B')?.lanes.get('gray')?.ejected, 1)
  const stay = setInterval(() => {}, 1000)
  t.match(await returned, { state: 'returned', service: 'sc-B', message: bad.endpoint?.address })
  clearInterval(stay)
  t.equal(resolver.state('sc-B')?.lanes.get('gray')?.ejected, 0)
})

t.test('outlier: false ejects nobody', async t => {
  const endpoints = grays(3)
  const { fail, pick, seen } = clocked(t, endpoints, { outlier: false })
  for (let i = 0; i < 100; i++) fail(pick('gray'))
  t.equal(seen('gray'), 3)
})

t.test('a choice of another maker is not counted, and does no harm', async t => {
  const { resolver, pick, seen } = clocked(t, grays(2))
  const foreign = { ...pick('gray') }
  for (let i = 0; i < 10; i++) {
    resolver.started(foreign)
    resolver.finished(foreign, 'connect-error')
  }
  t.equal(seen('gray'), 2)
})

t.test('ejections and returns are told on laneway:source', async t => {
  const endpoints = grays(3)
  const { fail, pick, at } = clocked(t, endpoints)
  const events: SourceEvent[] = []
  const listener = (event: unknown) => void events.push(event as SourceEvent)
  channels.source.subscribe(listener)
  const bad = pick('gray')
  fail(bad)
  at(1000)
  pick('gray')
  channels.source.unsubscribe(listener)
  const { address } = bad.endpoint!
  t.match(events, [
    { state: 'ejected', source: 'static', service: 'sc-B', message: address },
    { state: 'returned', source: 'static', service: 'sc-B', message: address },
  ])
})

const wrong = [
  { consecutiveFailures: 0 },
  { consecutiveFailures: Number.NaN },
  { ejectionMs: 0 },
  { ejectionMs: 10, maxEjectionMs: 9 },
  { maxEjectedShare: -0.1 },
  { maxEjectedShare: 1.1 },
  { maxEjectedPercent: 10 },
]

t.test('options of ejection are checked', async t => {
  for (const outlier of wrong) {
    t.throws(
      () => oneService(t, [], { outlier: outlier as never }),
      { code: 'LANEWAY_INVALID_OPTION' },
      JSON.stringify(outlier),
    )
  }
})
