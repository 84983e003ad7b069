import { currentLane, parseLane, runInLane } from '@laneway/core'
import t, { type Test } from 'tap'
import { createLaneResolver, createStaticSource, type LaneResolverOptions } from '../src/index.js'
import { matchByHandles } from './kept-handles.js'
import { endpoint } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const one = [endpoint()]

function resolverOf(t: Test, options: LaneResolverOptions) {
  const warnings: string[] = []
  const resolver = createLaneResolver({ warn: message => warnings.push(message), env: {}, ...options })
  t.teardown(() => resolver.close())
  return { resolver, warnings, match: matchByHandles(t, resolver) }
}

/** Whether a promise has settled once everything that is due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await new Promise(setImmediate)
  return settled
}

t.test('a name that could be a service is asked for, and the call waits for the answer', async t => {
  const source = createScriptedSource()
  const { match, resolver } = resolverOf(t, { sources: [source] })
  source.lists('x', 'y', 'z')
  t.equal(match('sc-b'), 'sc-b')
  t.equal(resolver.pick('sc-b', undefined).outcome, 'not-ready')
  t.strictSame(source.subscribed, ['sc-b'])
  const waits = [resolver.lookup('sc-b'), resolver.lookup('sc-b'), resolver.lookup('sc-b')]
  t.notOk(await isSettled(waits[1]!))
  source.snapshot('sc-b', one)
  await Promise.all(waits)
  t.equal(match('sc-b'), 'sc-b')
  t.equal(resolver.pick('sc-b', parseLane('gray')).outcome, 'fallback-missing')
  t.strictSame(source.asked, ['sc-b'], 'the second call asks nothing')
  t.strictSame(
    resolver.states().map(({ service, declared }) => ({ service, declared })),
    [{ service: 'sc-b', declared: false }],
  )
})

t.test('a listed service is waited for from its first call on', async t => {
  const source = createScriptedSource()
  const { match, resolver } = resolverOf(t, { sources: [source] })
  source.lists('sc-b', 'sc-c', 'sc-d')
  t.equal(match('sc-b'), 'sc-b')
  t.strictSame(source.subscribed, ['sc-b'], 'only what is called is subscribed')
  const wait = resolver.lookup('sc-b')
  source.snapshot('sc-b', [])
  await wait
  t.equal(match('sc-b'), 'sc-b', 'it exists, and has no instances')
  t.equal(resolver.pick('sc-b', undefined).outcome, 'no-base')
  source.lists('sc-c', 'sc-d')
  t.equal(resolver.state('sc-b'), undefined, 'no longer listed')
  t.strictSame(source.subscribed, [])
})

t.test('what every source says it does not have goes to DNS', async t => {
  const cases: [name: string, answer: (source: ReturnType<typeof createScriptedSource>) => void][] = [
    ['missing', source => source.missing('redis')],
    ['an empty list of a service that the source does not list', source => source.snapshot('redis', [])],
    ['a registry that is known to be down', source => source.stale('redis', new Error('down'))],
  ]
  for (const [name, answer] of cases) {
    await t.test(name, async t => {
      const source = createScriptedSource()
      const { match, resolver } = resolverOf(t, { sources: [source] })
      source.lists('x', 'y', 'z')
      t.equal(match('redis'), 'redis')
      const wait = resolver.lookup('redis')
      answer(source)
      t.ok(await isSettled(wait))
      t.equal(match('redis'), undefined)
      t.equal(match('redis'), undefined)
      t.equal(source.asked.length, 1, 'the answer is remembered')
      t.strictSame(resolver.states(), [], 'it is no service')
    })
  }
})

t.test('a source that answers at once costs no wait', async t => {
  const source = createStaticSource({ 'sc-b': one })
  const { match, resolver } = resolverOf(t, { sources: [source] })
  t.equal(match('sc-x'), undefined)
  t.equal(match('sc-b'), 'sc-b')
  t.equal(resolver.pick('sc-b', undefined).outcome, 'base')
  source.update({ 'sc-b': one, 'sc-x': one })
  t.equal(match('sc-x'), 'sc-x', 'the answer is forgotten when the list of names changes')
})

t.test('a service that appears after its name was asked for is used from its first instance on', async t => {
  const source = createScriptedSource()
  const { match, resolver } = resolverOf(t, { sources: [source] })
  source.lists('x')
  match('sc-b')
  source.snapshot('sc-b', [])
  t.equal(match('sc-b'), undefined)
  source.snapshot('sc-b', one)
  t.equal(match('sc-b'), 'sc-b', 'although the list of names is older')
  source.lists('x', 'y')
  t.equal(match('sc-b'), 'sc-b', 'and although a list does not have it yet')
  source.snapshot('sc-b', [])
  t.equal(resolver.pick('sc-b', undefined).outcome, 'no-base', 'a service that lost its instances stays one')
  source.lists('sc-b', 'x')
  source.lists('x', 'y')
  t.strictSame(source.subscribed, [], 'once listed, the list decides')
})

t.test('a registry that comes back is believed at once', async t => {
  const source = createScriptedSource()
  const { match, resolver } = resolverOf(t, { sources: [source] })
  match('sc-b')
  source.stale('sc-b', new Error('refused'))
  t.equal(match('sc-b'), undefined)
  source.snapshot('sc-b', one)
  t.equal(match('sc-b'), 'sc-b')
  t.equal(resolver.pick('sc-b', undefined).outcome, 'base')
})

t.test('case-sensitive sources: the list of names says how a service is spelled', async t => {
  const source = createScriptedSource({ caseInsensitive: false })
  const { match, resolver } = resolverOf(t, { sources: [source] })
  t.equal(match('sc-b'), 'sc-b')
  const wait = resolver.lookup('sc-b')
  source.snapshot('sc-b', [])
  t.notOk(await isSettled(wait), 'an empty list of another spelling is no answer')
  source.lists('sc-A', 'sc-B', 'sc-C')
  t.strictSame(source.subscribed, ['sc-B'])
  t.notOk(await isSettled(wait))
  source.snapshot('sc-B', one)
  t.ok(await isSettled(wait))
  t.equal(match('sc-b'), 'sc-B')
  t.equal(resolver.pick('sc-b', undefined).service, 'sc-B')
})

t.test('of several sources all are asked, and the first that has it owns it', async t => {
  const nacos = createScriptedSource({ name: 'nacos' })
  const kubernetes = createScriptedSource({ name: 'kubernetes' })
  const { match, resolver } = resolverOf(t, { sources: [nacos, kubernetes] })
  nacos.lists('x')
  kubernetes.lists('y')
  match('sc-b')
  match('redis')
  const waits = [resolver.lookup('sc-b'), resolver.lookup('redis')]
  nacos.snapshot('sc-b', [])
  nacos.snapshot('redis', [])
  t.notOk(await isSettled(waits[0]!), 'the second has not answered')
  kubernetes.snapshot('sc-b', one)
  kubernetes.missing('redis')
  await Promise.all(waits)
  t.equal(match('sc-b'), 'sc-b')
  t.equal(resolver.state('sc-b')?.source, 'kubernetes')
  t.equal(match('redis'), undefined)
})

t.test(
  'without an answer a call goes to DNS after lookupTimeoutMs, and later calls at once, with one warning',
  async t => {
    const source = createScriptedSource({ name: 'nacos' })
    const { match, resolver, warnings } = resolverOf(t, { sources: [source], lookupTimeoutMs: 10 })
    match('sc-b')
    match('sc-c')
    await Promise.all([resolver.lookup('sc-b'), resolver.lookup('sc-c')])
    t.equal(match('sc-b'), undefined)
    t.equal(warnings.length, 1)
    t.match(warnings[0], /sc-b may be a service, but nacos did not say: no answer within 10 ms/)
    source.snapshot('sc-b', one)
    t.equal(match('sc-b'), 'sc-b')
  },
)

t.test(
  'a program that computes for longer than lookupTimeoutMs still takes the answer that came meanwhile',
  async t => {
    const source = createScriptedSource()
    const { match, resolver, warnings } = resolverOf(t, { sources: [source], lookupTimeoutMs: 80, readyTimeoutMs: 80 })
    for (const name of ['sc-b', 'sc-c', 'sc-d']) {
      match(name)
      const wait = resolver.lookup(name)
      // As an answer on a socket: Node looks at timers before it comes to this.
      setImmediate(() => source.snapshot(name, one))
      const end = performance.now() + 200
      while (performance.now() < end);
      await wait
      t.equal(match(name), name)
    }
    const wait = resolver.ready('sc-e')
    setImmediate(() => source.snapshot('sc-e', one))
    const end = performance.now() + 200
    while (performance.now() < end);
    await wait
    t.strictSame(warnings, [])
  },
)

t.test('names that cannot be services never wait', async t => {
  const source = createScriptedSource()
  const { match } = resolverOf(t, { sources: [source] })
  for (const host of [
    'localhost',
    'a.localhost',
    '127.0.0.1',
    '[::1]',
    'api.example.com',
    'sc-b.example',
    '',
    '10',
    '0x7f',
  ])
    t.equal(match(host), undefined, host)
  t.strictSame(source.asked, [])
})

t.test('a declared service is waited for as long as readyTimeoutMs, also by lookup', async t => {
  const source = createScriptedSource()
  const { resolver } = resolverOf(t, {
    sources: [source],
    services: ['sc-B'],
    readyTimeoutMs: 20,
    lookupTimeoutMs: 1,
  })
  await t.rejects(resolver.lookup('sc-B'), { code: 'LANEWAY_NOT_READY' })
  const wait = resolver.lookup('sc-B')
  source.snapshot('sc-B', one)
  await wait
})

t.test('a name that was asked for can be declared', async t => {
  const source = createScriptedSource({ caseInsensitive: false })
  const { match, resolver } = resolverOf(t, { sources: [source] })
  source.lists('x')
  match('sc-b')
  source.snapshot('sc-b', [])
  t.equal(match('sc-b'), undefined)
  const ready = resolver.ready('sc-B')
  t.strictSame(source.subscribed, ['sc-B'])
  source.snapshot('sc-B', one)
  await ready
  t.equal(match('sc-b'), 'sc-B')
})

t.test('hosts from the network do not make the number of subscriptions grow', async t => {
  const source = createScriptedSource()
  const { match, resolver } = resolverOf(t, { sources: [source] })
  source.lists('x')
  for (let i = 0; i < 1000; i++) match(`host-${i}`)
  t.equal(source.subscribed.length, 256, 'while all of them are waited for')
  t.equal(match('one-more'), undefined)
  for (const name of [...source.subscribed]) source.snapshot(name, [])
  for (let i = 1000; i < 2000; i++) {
    match(`host-${i}`)
    source.snapshot(`host-${i}`, [])
  }
  t.equal(source.subscribed.length, 256)
  source.snapshot('host-1990', one)
  for (let i = 3000; i < 4000; i++) match(`host-${i}`)
  t.equal(match('host-1990'), 'host-1990', 'what has endpoints is kept')
  t.equal(resolver.states().length, 1)
})

t.test('a subscription that a request causes belongs to no lane', async t => {
  const lanes: unknown[] = []
  const inner = createScriptedSource()
  const source = {
    ...inner,
    subscribe(...args: Parameters<typeof inner.subscribe>) {
      lanes.push(currentLane()?.header)
      return inner.subscribe(...args)
    },
  }
  const { match } = resolverOf(t, { sources: [source] })
  inner.lists('sc-b')
  runInLane(parseLane('gray'), () => {
    match('sc-b')
    match('sc-x')
  })
  t.strictSame(lanes, [undefined, undefined])
})

t.test('close ends the wait', async t => {
  const { match, resolver } = resolverOf(t, { sources: [createScriptedSource()] })
  match('sc-b')
  const wait = t.rejects(resolver.lookup('sc-b'), { code: 'LANEWAY_CLOSED' })
  await resolver.close()
  await wait
  await t.rejects(resolver.lookup('sc-b'), { code: 'LANEWAY_CLOSED' })
})
