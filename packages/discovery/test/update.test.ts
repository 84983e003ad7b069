import { createControl } from '@laneway/core'
import t from 'tap'
import { createLaneResolver, createStaticSource } from '../src/index.js'
import { endpoint, oneService } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const gray = (more = {}) => endpoint({ tags: ['gray'], ...more })
const healthy = (count: number, more = {}) =>
  Array.from({ length: count }, () => endpoint({ health: 'healthy', ...more }))

t.test('policies are replaced for the next pick, and come back with an empty update', async t => {
  const { resolver, outcome } = oneService(t, [endpoint()], { whenLaneMissing: 'base' })
  t.match(outcome('gray'), /^fallback-missing/)
  resolver.update({ policies: [{ service: 'sc-B', lane: 'gray', whenLaneMissing: 'fail' }] })
  t.strictSame([outcome('gray'), outcome('blue')], ['lane-required', 'fallback-missing at 0'])
  resolver.update({ whenLaneMissing: 'fail' })
  t.strictSame([outcome('gray'), outcome('blue'), outcome()], ['lane-required', 'lane-required', 'base at 0'])
  resolver.update({})
  t.match(outcome('gray'), /^fallback-missing/)
  t.equal(resolver.state('sc-B')?.status, 'current')
})

t.test('a wrong update changes nothing, whatever else it holds', async t => {
  const { resolver, outcome } = oneService(t, [endpoint()])
  const refused = (settings: object) =>
    t.throws(() => resolver.update({ whenLaneMissing: 'fail', ...settings }), { code: 'LANEWAY_INVALID_OPTION' })
  refused({ panicThreshold: 1.5 })
  refused({ panicTreshold: 1 })
  refused({ maxInFlight: 0 })
  refused({ outlier: { consecutiveFailures: Number.NaN } })
  refused({ policies: [{ lane: 'gray', whenLaneMissing: 'no' }] })
  refused({
    policies: [
      { lane: 'gray', whenLaneMissing: 'base' },
      { lane: 'gray', whenLaneMissing: 'fail' },
    ],
  })
  refused({ services: ['a b'] })
  refused({ sources: [] })
  refused({ zone: { prefer: 'mine' } })
  t.equal(outcome('gray'), 'fallback-missing at 0')
})

t.test('maxInFlight counts what is in flight already, and no limit means none', async t => {
  const { resolver, outcome, pick } = oneService(t, [endpoint(), gray()])
  const choices = [pick('gray'), pick('gray')]
  for (const choice of choices) resolver.started(choice)
  resolver.update({ maxInFlight: 2 })
  t.strictSame([outcome('gray'), outcome()], ['overloaded', 'base at 0'])
  resolver.finished(choices[0]!, 'ok')
  t.equal(outcome('gray'), 'lane of gray at 1')
  resolver.started(choices[0]!)
  resolver.update({})
  t.equal(outcome('gray'), 'lane of gray at 1')
})

t.test('an ejection outlives an update, and ends when ejection is switched off', async t => {
  const { resolver, pick } = oneService(t, healthy(4), {
    outlier: { consecutiveFailures: 2, ejectionMs: 600_000, maxEjectionMs: 600_000 },
  })
  const ill = pick().endpoint!.address
  const fail = () => {
    for (let i = 0; i < 2; i++) {
      let choice = pick()
      while (choice.endpoint?.address !== ill) choice = pick()
      resolver.started(choice)
      resolver.finished(choice, 'connect-error')
    }
  }
  const serves = () => Array.from({ length: 400 }, () => pick().endpoint!.address).includes(ill)
  fail()
  t.equal(serves(), false)
  resolver.update({ outlier: { consecutiveFailures: 9 } })
  t.equal(serves(), false)
  resolver.update({ outlier: false })
  t.equal(serves(), true)
  fail()
  t.equal(serves(), true)
  resolver.update({})
  fail()
  t.equal(serves(), false, 'on again')
})

t.test('panic threshold, zone, balancer and warm-up are replaced', async t => {
  const members = [
    ...healthy(1, { zone: 'a' }),
    ...healthy(1, { zone: 'b' }),
    ...Array.from({ length: 8 }, () => endpoint({ health: 'unhealthy', zone: 'b' })),
  ]
  const { resolver, pick, update } = oneService(t, members)
  const used = () => new Set(Array.from({ length: 500 }, () => pick().endpoint!.address)).size
  t.equal(used(), 2)
  resolver.update({ panicThreshold: 0.5 })
  t.equal(used(), 10)
  resolver.update({ zone: { name: 'a', prefer: 'always' } })
  t.equal(used(), 1)
  t.equal(pick().endpoint?.zone, 'a')
  resolver.update({ balancer: 'round-robin' })
  t.not(pick().endpoint?.address, pick().endpoint?.address)
  resolver.update({ slowStartMs: 600_000, slowStartMinShare: 0.0001 })
  const late = endpoint({ health: 'healthy' })
  update([...members, late])
  t.ok(
    Array.from({ length: 300 }, () => pick().endpoint!.port).filter(port => port === late.port).length < 20,
    'warms up',
  )
  resolver.update({})
  t.ok(Array.from({ length: 300 }, () => pick().endpoint!.port).filter(port => port === late.port).length > 50)
})

t.test('services are declared and no longer declared', async t => {
  const source = createScriptedSource({ services: { 'sc-a': [endpoint()], 'sc-b': [endpoint()] } })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-a'], env: {} })
  t.teardown(() => resolver.close())
  const declared = () =>
    resolver
      .states()
      .filter(state => state.declared)
      .map(state => state.service)
      .sort()
  t.strictSame(declared(), ['sc-a'])
  resolver.update({ services: ['sc-a', 'sc-b'] })
  t.strictSame(declared(), ['sc-a', 'sc-b'])
  t.equal(resolver.match('sc-b', undefined, false), 'sc-b')
  resolver.update({})
  t.strictSame(declared(), ['sc-a'])
  t.strictSame(source.subscribed, ['sc-a'])
})

t.test('a large service is replaced at once, also while a snapshot is being taken over', async t => {
  const members = healthy(3000)
  const { resolver, pick, update } = oneService(t, members)
  await resolver.ready('sc-B')
  update([...members, ...healthy(500)])
  resolver.update({ whenLaneMissing: 'fail' })
  t.equal(pick('gray').outcome, 'lane-required')
  while (resolver.explain('sc-B', undefined).endpoints !== 3500) await new Promise(setImmediate)
  t.equal(pick('gray').outcome, 'lane-required')
})

t.test('a control document takes each of the settings', async t => {
  const { resolver } = oneService(t, [endpoint()])
  const control = createControl({ resolver, source: 'test' })
  const settings = {
    services: ['sc-B'],
    whenLaneMissing: 'fail',
    whenLaneUnavailable: 'panic',
    policies: [],
    balancer: 'least-request',
    baseEmpty: 'any',
    zone: 'a',
    outlier: { consecutive5xx: 3 },
    panicThreshold: 0.2,
    slowStartMs: 5,
    slowStartAggression: 2,
    slowStartMinShare: 0.5,
    maxInFlight: 9,
  }
  t.equal(control.replace(JSON.stringify(settings)), true)
  t.equal(control.state().problem, undefined)
  t.strictSame(control.state().settings, settings)
  t.equal(control.replace('{"outlier": {"consecutive5xx": -1}}'), false)
  t.match(control.state().problem, /^LANEWAY_INVALID_OPTION: test: outlier\.consecutive5xx is a number from 0/)
})

t.test('under LANEWAY_DISABLE a resolver waits for nothing and resolves nothing', async t => {
  for (const LANEWAY_DISABLE of ['all', 'http, discovery']) {
    const source = createScriptedSource()
    const resolver = createLaneResolver({ sources: [source], services: ['sc-a'], env: { LANEWAY_DISABLE } })
    await resolver.ready('sc-a')
    await resolver.lookup('sc-a')
    t.equal(resolver.match('sc-a', undefined, false), undefined)
    t.match(resolver.health(), { ready: true, status: 'ok' })
    t.match(resolver.explain('sc-a', 'gray').reason, /LANEWAY_DISABLE/)
    t.strictSame(source.asked, [])
    await resolver.close()
    t.equal(source.closed, 1)
  }
  const resolver = createLaneResolver({
    sources: [createStaticSource({ a: [endpoint()] })],
    env: { LANEWAY_DISABLE: 'http' },
  })
  t.equal(resolver.match('a', undefined, false), 'a')
  await resolver.close()
})
