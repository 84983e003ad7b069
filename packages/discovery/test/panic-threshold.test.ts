import t from 'tap'
import { createLaneResolver, createStaticSource } from '../src/index.js'
import { clocked } from './clocked.js'
import { addressOf, endpoint, oneService } from './one-service.js'

const sick = { health: 'unhealthy' } as const
const oneOfTen = (tags?: readonly string[]) =>
  Array.from({ length: 10 }, (_, index) => endpoint({ ...(index > 0 && sick), ...(tags && { tags }) }))

t.test('with 1 of 10 healthy, all enabled endpoints share the requests, and the outcome is panic', async t => {
  for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
    const { pick, resolver } = oneService(t, oneOfTen(), { panicThreshold: 0.5, balancer })
    const counts = new Map<string, number>()
    for (let i = 0; i < 1000; i++) {
      const choice = pick()
      t.equal(choice.outcome, 'panic')
      counts.set(choice.endpoint!.address, (counts.get(choice.endpoint!.address) ?? 0) + 1)
    }
    t.equal(counts.size, 10)
    for (const count of counts.values()) t.ok(count > 40 && count < 200, `${count}`)
    const { outcome, candidateCount, steps, reason } = resolver.explain('sc-B', undefined)
    t.equal(outcome, 'panic')
    t.equal(candidateCount, 10)
    t.equal(steps[0]?.verdict, 'panic')
    t.equal(reason, 'only 1 of 10 instances are usable, less than panicThreshold; an instance that is enabled serves')
  }
})

t.test('by default only the healthy one serves', async t => {
  const { outcome } = oneService(t, oneOfTen())
  for (let i = 0; i < 100; i++) t.equal(outcome(), 'base at 0')
})

t.test('both sides of the threshold', async t => {
  const healthy = (count: number) => Array.from({ length: 10 }, (_, index) => endpoint(index < count ? {} : sick))
  const below = oneService(t, healthy(4), { panicThreshold: 0.5 })
  t.equal(below.pick().outcome, 'panic')
  const at = oneService(t, healthy(5), { panicThreshold: 0.5 })
  t.equal(at.pick().outcome, 'base')
  const all = oneService(t, healthy(10), { panicThreshold: 1 })
  t.equal(all.pick().outcome, 'base')
  const nine = oneService(t, healthy(9), { panicThreshold: 1 })
  t.equal(nine.pick().outcome, 'panic')
})

t.test('within the lane only: no other lane, and base no lane', async t => {
  const endpoints = [...oneOfTen(['gray']), ...oneOfTen(['blue']), endpoint(), endpoint(), endpoint(sick)]
  const { pick } = oneService(t, endpoints, { panicThreshold: 0.5 })
  for (let i = 0; i < 300; i++) {
    const gray = pick('gray')
    t.match(gray, { outcome: 'panic', served: 'gray', endpoint: { tags: ['gray'] } })
    t.match(pick('blue'), { outcome: 'panic', served: 'blue', endpoint: { tags: ['blue'] } })
    t.match(pick(), { outcome: 'base', served: undefined, endpoint: { tags: [], health: 'unknown' } })
  }
})

t.test('never a disabled endpoint, nor one of weight 0; and they do not count', async t => {
  const endpoints = [
    endpoint(),
    endpoint(sick),
    endpoint({ ...sick, enabled: false }),
    endpoint({ ...sick, weight: 0 }),
    endpoint({ enabled: false }),
  ]
  const half = oneService(t, endpoints, { panicThreshold: 0.5 })
  for (let i = 0; i < 100; i++) t.equal(half.outcome(), 'base at 0', 'one of two is half')
  const more = oneService(t, [...endpoints, endpoint(sick)], { panicThreshold: 0.5 })
  const seen = new Set(Array.from({ length: 200 }, () => more.outcome()))
  t.strictSame([...seen].sort(), ['panic at 0', 'panic at 1', 'panic at 5'])
})

t.test('a lane without any usable endpoint follows its policy, as without a threshold', async t => {
  const endpoints = [endpoint(), endpoint({ ...sick, tags: ['gray'] }), endpoint({ ...sick, tags: ['gray'] })]
  const options = { panicThreshold: 0.5 }
  t.equal(oneService(t, endpoints, options).outcome('gray'), 'fallback-unavailable at 0')
  t.equal(oneService(t, endpoints, { ...options, whenLaneUnavailable: 'fail' }).outcome('gray'), 'lane-required')
  t.match(oneService(t, endpoints, { ...options, whenLaneUnavailable: 'panic' }).outcome('gray'), /^panic of gray/)
})

t.test('a lane that falls back to a base in panic has the outcome panic', async t => {
  const { outcome } = oneService(t, oneOfTen(), { panicThreshold: 0.5 })
  t.match(outcome('gray'), /^panic at/)
})

t.test('in panic a retry takes another endpoint, and leaves the lane when all were tried', async t => {
  const endpoints = [
    endpoint({ tags: ['gray'] }),
    endpoint({ ...sick, tags: ['gray'] }),
    endpoint({ ...sick, tags: ['gray'] }),
  ]
  const { outcome } = oneService(t, [...endpoints, endpoint()], { panicThreshold: 0.5 })
  const [one, two, three] = endpoints.map(addressOf) as [string, string, string]
  for (let i = 0; i < 50; i++) t.equal(outcome('gray', [one, two]), 'panic of gray at 2')
  t.equal(outcome('gray', [one, two, three]), 'fallback-unavailable at 3')
})

t.test('ejections begin and end panic, and it ignores them', async t => {
  const endpoints = [endpoint(), endpoint(), endpoint(), endpoint(sick), endpoint(sick)]
  const { pick, fail, choiceOf, at, seen } = clocked(t, endpoints, { panicThreshold: 0.5 })
  t.equal(pick().outcome, 'base', 'three of five')
  fail(choiceOf(undefined, endpoints[0]!))
  t.equal(pick().outcome, 'panic', 'two of five')
  t.equal(seen(), 5, 'the ejected one is one of them')
  at(1001)
  t.equal(pick().outcome, 'base', 'three of five again')
})

t.test('zones do not count in panic', async t => {
  const endpoints = ['a', 'b', 'c'].map((zone, index) => endpoint({ zone, ...(index > 0 && sick) }))
  const { outcome } = oneService(t, endpoints, { panicThreshold: 0.5, zone: 'a' })
  t.equal(new Set(Array.from({ length: 200 }, () => outcome())).size, 3)
})

t.test('a wrong threshold is refused', async t => {
  for (const panicThreshold of [-0.1, 1.1, 50, Number.NaN, '0.5']) {
    const options = { sources: [createStaticSource()], env: {}, panicThreshold: panicThreshold as number }
    t.throws(() => createLaneResolver(options), {
      code: 'LANEWAY_INVALID_OPTION',
      message: /panicThreshold is a number from 0 to 1/,
    })
  }
})
