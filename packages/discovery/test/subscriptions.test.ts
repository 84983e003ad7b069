import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createLaneResolver, createStaticSource, type LaneResolverOptions } from '../src/index.js'
import { endpoint } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const one = [endpoint()]

function resolverOf(t: Test, options: LaneResolverOptions) {
  const resolver = createLaneResolver({ warn: () => {}, env: {}, ...options })
  t.teardown(() => resolver.close())
  return resolver
}

t.test('ready', async t => {
  t.test('waits for the first snapshot, and declares the service', async t => {
    const source = createScriptedSource()
    const resolver = resolverOf(t, { sources: [source] })
    const waits = [resolver.ready('sc-B'), resolver.ready('sc-b'), resolver.ready('sc-B')]
    t.strictSame(source.subscribed, ['sc-B'], 'one subscription for all who wait')
    t.equal(resolver.match('sc-b', undefined, false), 'sc-B')
    source.snapshot('sc-B', one)
    await Promise.all(waits)
    t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
    await resolver.ready('sc-B')
  })

  t.test('is satisfied by an empty snapshot, and by a stale one', async t => {
    const source = createScriptedSource()
    const resolver = resolverOf(t, { sources: [source], services: ['sc-B'] })
    source.snapshot('sc-B', [])
    source.stale('sc-B', new Error('lost'))
    await resolver.ready('sc-B')
  })

  t.test('rejects with LANEWAY_NOT_READY after readyTimeoutMs, and a later snapshot still counts', async t => {
    const source = createScriptedSource({ name: 'nacos' })
    const resolver = resolverOf(t, { sources: [source], services: ['sc-B'], readyTimeoutMs: 10 })
    await t.rejects(resolver.ready('sc-B'), { code: 'LANEWAY_NOT_READY', message: /sc-B within 10 ms.*nacos/ })
    source.missing('sc-B')
    await t.rejects(resolver.ready('sc-B'), { code: 'LANEWAY_NOT_READY', message: /no source has it/ })
    source.snapshot('sc-B', one)
    await resolver.ready('sc-B')
  })

  t.test('rejects with LANEWAY_CLOSED when the resolver is closed, before or while it waits', async t => {
    const resolver = resolverOf(t, { sources: [createScriptedSource()], services: ['sc-B'] })
    const waiting = t.rejects(resolver.ready('sc-B'), { code: 'LANEWAY_CLOSED' })
    await resolver.close()
    await waiting
    await t.rejects(resolver.ready('sc-B'), { code: 'LANEWAY_CLOSED' })
  })
})

t.test('several sources', async t => {
  const both = (t: Test, options: Partial<LaneResolverOptions> = {}, second = {}) => {
    const nacos = createScriptedSource({ name: 'nacos' })
    const kubernetes = createScriptedSource({ name: 'kubernetes', ...second })
    const resolver = resolverOf(t, { sources: [nacos, kubernetes], services: ['sc-B'], readyTimeoutMs: 20, ...options })
    const owner = () => resolver.state('sc-B')?.source
    return { nacos, kubernetes, resolver, owner }
  }

  t.test('the first that lists the service owns it', async t => {
    const { nacos, kubernetes, owner, resolver } = both(t)
    kubernetes.lists('sc-b', 'x')
    nacos.lists('sc-B', 'y')
    nacos.snapshot('sc-B', [endpoint(), endpoint()])
    kubernetes.snapshot('sc-b', one)
    t.equal(owner(), 'nacos')
    t.equal(resolver.state('sc-B')?.base.endpoints, 2)
    t.strictSame(nacos.subscribed, ['sc-B'])
    t.strictSame(kubernetes.subscribed, [], 'the other is not asked any longer')
  })

  t.test('a source that does not list it leaves it to the next', async t => {
    const { nacos, kubernetes, owner, resolver } = both(t)
    nacos.lists('x', 'y', 'z')
    kubernetes.lists('sc-b')
    kubernetes.snapshot('sc-b', one)
    t.equal(owner(), 'kubernetes')
    t.equal(resolver.state('sc-B')?.base.endpoints, 1)
    t.strictSame(nacos.subscribed, [])
  })

  t.test('the owner keeps it while it is down', async t => {
    const { nacos, kubernetes, owner, resolver } = both(t)
    nacos.lists('sc-B')
    nacos.snapshot('sc-B', one)
    kubernetes.lists('sc-b')
    nacos.stale('sc-B', new Error('down'))
    nacos.lists()
    t.equal(owner(), 'nacos')
    t.match(resolver.state('sc-B'), { status: 'stale', base: { endpoints: 1 } })
    nacos.snapshot('sc-B', [])
    t.equal(owner(), 'nacos', 'and while it has no instances')
    t.strictSame(kubernetes.subscribed, [])
  })

  t.test('when the owner says that there is no such service, another takes it', async t => {
    const { nacos, kubernetes, owner, resolver } = both(t)
    nacos.lists('sc-B')
    nacos.snapshot('sc-B', one)
    kubernetes.lists('sc-b')
    nacos.lists('x')
    nacos.missing('sc-B')
    t.equal(owner(), 'kubernetes')
    kubernetes.snapshot('sc-b', [endpoint(), endpoint(), endpoint()])
    t.equal(resolver.state('sc-B')?.base.endpoints, 3)
  })

  t.test('a source that is down at the start does not keep the next from it for ever', async t => {
    const { kubernetes, owner, resolver } = both(t)
    kubernetes.lists('sc-b')
    t.equal(owner(), undefined, 'the first may still claim it')
    const ready = resolver.ready('sc-B')
    kubernetes.snapshot('sc-b', one)
    await ready
    t.equal(owner(), 'kubernetes')
  })

  t.test('a source that says it is down is passed over at once', async t => {
    const { nacos, kubernetes, owner } = both(t)
    nacos.stale('sc-B', new Error('down'))
    kubernetes.lists('sc-b')
    t.equal(owner(), 'kubernetes')
  })

  t.test('sources that cannot list: the first that has endpoints owns it', async t => {
    const first = createScriptedSource({ name: 'first', canList: false })
    const second = createScriptedSource({ name: 'second', canList: false })
    const third = createScriptedSource({ name: 'third', canList: false })
    const resolver = resolverOf(t, { sources: [first, second, third], services: ['sc-B'] })
    first.snapshot('sc-B', [])
    t.equal(resolver.state('sc-B')?.source, undefined, 'the second has not spoken yet')
    second.snapshot('sc-B', one)
    t.equal(resolver.state('sc-B')?.source, 'second')
    t.strictSame(
      [first, second, third].map(source => source.subscribed.length),
      [0, 1, 0],
    )
  })

  t.test('a service nobody has endpoints of is empty, and whoever gets some owns it', async t => {
    const { nacos, kubernetes, owner, resolver } = both(t)
    nacos.lists()
    kubernetes.lists()
    nacos.snapshot('sc-B', [])
    t.equal(resolver.pick('sc-B', undefined).outcome, 'no-base')
    kubernetes.lists('sc-b')
    kubernetes.snapshot('sc-b', one)
    t.equal(owner(), 'kubernetes')
    t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
  })

  t.test('a listed service nobody declared: the first that lists it', async t => {
    const { nacos, kubernetes, resolver } = both(t, { services: [] }, { services: { orders: one } })
    kubernetes.lists('orders')
    t.equal(resolver.match('orders', undefined, false), 'orders')
    t.equal(resolver.state('orders')?.source, undefined, 'nacos has not listed yet')
    nacos.lists('stock')
    t.equal(resolver.match('orders', undefined, false), 'orders')
    t.equal(resolver.state('orders')?.source, 'kubernetes')
  })
})

t.test('subscriptions are reference-counted, and the last release really stops the work', async t => {
  const source = createScriptedSource()
  const first = resolverOf(t, { sources: [source], services: ['sc-A', 'sc-B'] })
  const second = resolverOf(t, { sources: [source], services: ['sc-B', 'sc-C'] })
  t.strictSame(source.asked, ['sc-A', 'sc-B', 'sc-C'], 'two resolvers, one subscription per service')
  source.snapshot('sc-B', one)
  for (const resolver of [first, second]) t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
  await first.close()
  t.strictSame(source.subscribed.sort(), ['sc-B', 'sc-C'])
  t.equal(source.closed, 0, 'the source is in use')
  source.snapshot('sc-B', [])
  t.equal(second.pick('sc-B', undefined).outcome, 'no-base')
  await second.close()
  t.strictSame(source.subscribed, [])
  t.equal(source.listing, false)
  t.equal(source.closed, 1)
  await second.close()
  t.equal(source.closed, 1, 'closing again does nothing')
})

t.test('who comes later hears what was last said', async t => {
  const source = createScriptedSource()
  resolverOf(t, { sources: [source], services: ['a', 'b', 'c', 'd'] })
  source.snapshot('a', one)
  source.snapshot('b', one)
  source.stale('b', new Error('lost'))
  source.missing('c')
  const late = resolverOf(t, { sources: [source], services: ['a', 'b', 'c', 'd'] })
  t.strictSame(
    ['a', 'b', 'c', 'd'].map(service => late.state(service)?.status),
    ['current', 'stale', 'missing', 'waiting'],
  )
  t.equal(source.asked.length, 4)
})

t.test('closeSources: false leaves the source open', async t => {
  const source = createScriptedSource()
  const resolver = resolverOf(t, { sources: [source], services: ['sc-B'], closeSources: false })
  await resolver.close()
  t.strictSame(source.subscribed, [])
  t.equal(source.closed, 0)
})

t.test('a closed resolver keeps answering picks and starts nothing', async t => {
  const source = createScriptedSource()
  const resolver = resolverOf(t, { sources: [source], services: ['sc-B'] })
  source.snapshot('sc-B', one)
  source.lists('sc-B', 'orders')
  await resolver.close()
  t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
  t.equal(resolver.match('orders', undefined, false), undefined)
  t.strictSame(source.subscribed, [])
})

t.test('a source that throws from subscribe is told as stale', async t => {
  const source = createScriptedSource()
  const broken = {
    ...source,
    subscribe() {
      throw new Error('broken source')
    },
  }
  const resolver = resolverOf(t, { sources: [broken], services: ['sc-B'] })
  t.equal(resolver.state('sc-B')?.error, 'broken source')
})

t.test('a source whose close fails makes close fail, after everything else is closed', async t => {
  const failing = { ...createScriptedSource(), close: async () => Promise.reject(new Error('cannot close')) }
  const other = createScriptedSource()
  const resolver = createLaneResolver({ sources: [failing, other], env: {} })
  await t.rejects(resolver.close(), { message: 'cannot close' })
  t.equal(other.closed, 1)
})

t.test('close leaves no handle open', async t => {
  const program = fileURLToPath(new URL('fixtures/close-leaves-nothing.ts', import.meta.url))
  const { NODE_OPTIONS: _, ...env } = process.env
  const flags = ['--import', 'tsx', '--conditions=@laneway/source']
  // The program ends by itself, or the time limit ends it and the status is null.
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, program], {
    env,
    timeout: 300_000,
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  t.equal(stdout.trim(), 'timers and watches after close: none')
})

const wrong: readonly [name: string, options: unknown][] = [
  ['nothing', undefined],
  ['no sources', { sources: [] }],
  ['a source twice', (source => ({ sources: [source, source] }))(createStaticSource())],
  ['no source', { sources: [{ name: 'x' }] }],
  ['an unknown key', { sources: [createStaticSource()], service: ['x'] }],
  ['services as text', { sources: [createStaticSource()], services: 'sc-B' }],
  ['a name with a comma', { sources: [createStaticSource()], services: ['a,b'] }],
  ['an unknown balancer', { sources: [createStaticSource()], balancer: 'random' }],
  ['an unknown policy', { sources: [createStaticSource()], whenLaneMissing: 'panic' }],
  ['an unknown baseEmpty', { sources: [createStaticSource()], baseEmpty: 'all' }],
  ['a timeout that is NaN', { sources: [createStaticSource()], readyTimeoutMs: Number.NaN }],
  ['a timeout no timer can keep', { sources: [createStaticSource()], readyTimeoutMs: 2 ** 31 }],
  ['a suffix of nothing', { sources: [createStaticSource()], suffixes: ['.'] }],
  ['random that is no function', { sources: [createStaticSource()], random: 0.5 }],
]

t.test('wrong options are refused when the resolver is made', async t => {
  for (const [name, options] of wrong) {
    t.throws(() => createLaneResolver(options as never), { code: 'LANEWAY_INVALID_OPTION' }, name)
  }
})

t.test('a static source refuses wrong endpoints, and an update that does changes nothing', async t => {
  t.throws(() => createStaticSource({ 'sc-B': [{ host: 'a/b', port: 80 }] }), {
    code: 'LANEWAY_INVALID_ENDPOINT',
    message: /sc-B\[0\]/,
  })
  t.throws(() => createStaticSource({ 'sc-B': 'x' as never }), { code: 'LANEWAY_INVALID_ENDPOINT' })
  const source = createStaticSource({ 'sc-B': one })
  const resolver = resolverOf(t, { sources: [source], services: ['SC-b'] })
  t.throws(() => source.update({ 'sc-B': [...one, { host: 'sc-b', port: 0 }] }), { code: 'LANEWAY_INVALID_ENDPOINT' })
  t.equal(resolver.pick('SC-b', undefined).outcome, 'base')
  source.update({ other: one })
  t.equal(resolver.state('SC-b')?.status, 'missing')
  source.update({ 'sc-B': [], other: one, third: one })
  t.equal(resolver.state('SC-b')?.status, 'current')
})
