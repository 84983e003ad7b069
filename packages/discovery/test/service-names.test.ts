import t, { type Test } from 'tap'
import { createLaneResolver, createStaticSource, type LaneResolverOptions } from '../src/index.js'
import { matchByHandles } from './kept-handles.js'
import { createScriptedSource, type ScriptedSource } from './scripted-source.js'

const one = [{ host: '10.0.0.1', port: 8080 }]

function resolverOf(t: Test, options: Partial<LaneResolverOptions> & { listed?: string[]; source?: ScriptedSource }) {
  const { listed = [], source: given, ...rest } = options
  const services = Object.fromEntries(listed.map(name => [name, one]))
  const source = given ?? createStaticSource(services)
  const resolver = createLaneResolver({ sources: [source], warn: () => {}, env: {}, ...rest })
  t.teardown(() => resolver.close())
  return {
    resolver,
    match: matchByHandles(t, resolver),
  }
}

t.test('a declared service is resolved by its single label', async t => {
  const { match } = resolverOf(t, { services: ['sc-B', 'orders'], source: createScriptedSource({ canList: false }) })
  t.equal(match('sc-b'), 'sc-B')
  t.equal(match('orders'), 'orders')
  t.equal(match('sc-c.example'), undefined)
})

t.test('a listed service is resolved by its single label, without being declared', async t => {
  const { match, resolver } = resolverOf(t, { listed: ['sc-B', 'orders', 'sc-C'] })
  t.equal(match('sc-b'), 'sc-B')
  t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
  t.equal(match('sc-x'), undefined)
})

t.test('lower case, trailing dot, n, n.ns, n.ns.svc and n.ns.svc.<domain> are one service', async t => {
  const { match } = resolverOf(t, { services: ['sc-B'], listed: ['sc-B'], namespace: 'shop' })
  for (const host of [
    'sc-b',
    'sc-b.shop',
    'sc-b.shop.svc',
    'sc-b.shop.svc.cluster.local',
    'sc-b.svc',
    'sc-b.svc.cluster.local',
  ]) {
    for (const form of [host, `${host}.`, host.toUpperCase()]) t.equal(match(form), 'sc-B', form)
  }
  for (const host of [
    'sc-b.billing',
    'sc-b.billing.svc',
    'sc-b.billing.svc.cluster.local',
    'sc-b..',
    '.sc-b',
    'x.sc-b.shop.svc',
  ]) {
    t.equal(match(host), undefined, host)
  }
})

t.test('a service is declared under any of its names', async t => {
  for (const name of ['sc-B', 'SC-B.shop', 'sc-b.shop.svc', 'sc-b.shop.svc.cluster.local', 'sc-b.']) {
    const { match, resolver } = resolverOf(t, { services: [name], listed: ['sc-b'], namespace: 'shop' })
    t.equal(match('sc-b.shop.svc')?.toLowerCase(), 'sc-b', name)
    t.equal(resolver.pick(match('sc-b')!, undefined).outcome, 'base', name)
    t.equal(resolver.pick(name, undefined).outcome, 'base', `pick takes ${name} too`)
    await resolver.ready(name)
  }
})

t.test('a service of another namespace is n.ns', async t => {
  const { match, resolver } = resolverOf(t, {
    services: ['orders.shop'],
    listed: ['orders.shop', 'orders', 'stock.shop'],
  })
  for (const host of ['orders.shop', 'orders.shop.svc', 'orders.shop.svc.cluster.local'])
    t.equal(match(host), 'orders.shop')
  t.equal(match('orders'), 'orders', 'another service')
  t.equal(match('stock.shop.svc'), 'stock.shop', 'listed, under a suffix')
  t.equal(match('stock.shop'), undefined, 'listed, but neither single label nor suffix nor declared in full')
  t.equal(resolver.pick('orders.shop', undefined).service, 'orders.shop')
})

t.test('whoever can register a service must not take over the traffic of a host on the internet', async t => {
  const names = ['api.stripe.com', 'stripe.com', 'com', 'api']
  const { match } = resolverOf(t, { listed: names })
  t.equal(match('api.stripe.com'), undefined)
  t.equal(match('stripe.com'), undefined)
  const declared = resolverOf(t, { listed: names, services: ['api.stripe.com'] })
  t.equal(declared.match('api.stripe.com'), 'api.stripe.com', 'declared in full')
  t.equal(declared.match('API.Stripe.com.'), 'api.stripe.com')
  t.equal(declared.match('stripe.com'), undefined)
})

t.test('a listed localhost does not take over loopback, nor does an address name a service', async t => {
  const listed = ['localhost', 'a.localhost', '127.0.0.1', '10']
  const { match } = resolverOf(t, { listed })
  for (const host of ['localhost', '127.0.0.1', '[::1]', '::1', '']) t.equal(match(host), undefined, host)
})

t.test('suffixes are configured', async t => {
  const { match } = resolverOf(t, {
    listed: ['sc-b'],
    suffixes: ['.corp', 'mesh.example'],
    clusterDomain: 'k8s.example',
  })
  t.equal(match('sc-b.corp'), 'sc-b')
  t.equal(match('sc-b.mesh.example'), 'sc-b')
  t.equal(match('sc-b.k8s.example'), 'sc-b')
  t.equal(match('sc-b.svc'), undefined)
  t.equal(match('sc-b.cluster.local'), undefined)
})

t.test('the namespace is POD_NAMESPACE, or default', async t => {
  const inPod = resolverOf(t, { services: ['sc-b'], env: { POD_NAMESPACE: 'shop' } })
  t.equal(inPod.match('sc-b.shop.svc'), 'sc-b')
  const outside = resolverOf(t, { services: ['sc-b'] })
  t.equal(outside.match('sc-b.default.svc'), 'sc-b')
})

t.test('Nacos names are case-sensitive, so two that differ only by case are an error', async t => {
  t.test('when both are declared', async t => {
    const source = createScriptedSource({ caseInsensitive: false })
    t.throws(() => resolverOf(t, { source, services: ['sc-B', 'SC-b'] }), {
      code: 'LANEWAY_INVALID_OPTION',
      message: /sc-B and SC-b differ only by case/,
    })
    t.equal(source.subscribed.length, 0, 'and nothing is left behind')
    t.equal(source.listing, false)
  })

  t.test('when both are listed: neither is resolved, with one warning', async t => {
    const source = createScriptedSource({ caseInsensitive: false, services: { 'sc-B': one, 'SC-b': one, other: one } })
    const warnings: string[] = []
    const { match } = resolverOf(t, { source, warn: message => warnings.push(message) })
    source.lists('sc-B', 'SC-b', 'other')
    t.equal(match('sc-b'), undefined)
    t.equal(match('sc-b.svc'), undefined)
    t.equal(match('other'), 'other')
    t.equal(warnings.length, 1)
    t.match(warnings[0], /sc-B and SC-b/)
  })

  t.test('when both are listed, declaring one says which', async t => {
    const source = createScriptedSource({ caseInsensitive: false, services: { 'sc-B': one, 'SC-b': one } })
    const { match } = resolverOf(t, { source, services: ['SC-b'] })
    source.lists('sc-B', 'SC-b')
    t.equal(match('sc-b'), 'SC-b')
    t.strictSame(source.subscribed, ['SC-b'])
  })

  t.test('ready() of a name that differs by case is refused', async t => {
    const source = createScriptedSource({ caseInsensitive: false, services: { 'sc-B': one } })
    const { resolver } = resolverOf(t, { source, services: ['sc-B'] })
    await t.rejects(resolver.ready('SC-b'), { code: 'LANEWAY_INVALID_OPTION' })
  })

  t.test('a declared name in another case than the only listed one means that', async t => {
    const source = createScriptedSource({ caseInsensitive: false, services: { 'sc-B': one } })
    const { resolver } = resolverOf(t, { source, services: ['sc-b'] })
    source.lists('sc-B', 'x', 'y')
    t.strictSame(source.subscribed, ['sc-B'])
    t.equal(resolver.pick('sc-b', undefined).outcome, 'base')
  })
})

t.test('names that a URL cannot carry use aliases', async t => {
  const source = createScriptedSource({
    canList: false,
    services: { '12345': one, 'providers:x': one, 'G@@s': one, 'n.shop': one },
  })
  const { match, resolver } = resolverOf(t, {
    source,
    aliases: {
      numbers: '12345',
      'providers-x': { service: 'providers:x' },
      'S.of.G.': { service: 's', group: 'G' },
      'n-shop': { service: 'n', namespace: 'shop' },
    },
  })
  for (const [host, service] of [
    ['numbers', '12345'],
    ['providers-x', 'providers:x'],
    ['s.of.g', 'G@@s'],
    ['n-shop', 'n.shop'],
  ] as const) {
    t.equal(match(host), service)
    t.equal(resolver.pick(service, undefined).outcome, 'base', service)
  }
  const wrong = [
    { '10.0.0.1': 'x' },
    { 'a/b': 'x' },
    { a: '' },
    { a: { service: 'x', groups: 'g' } },
    { A: 'x', a: 'y' },
  ]
  for (const aliases of wrong) {
    t.throws(
      () => resolverOf(t, { aliases: aliases as never }),
      { code: 'LANEWAY_INVALID_OPTION' },
      JSON.stringify(aliases),
    )
  }
})

t.test("a port must be absent, the scheme's default or a port of that service", async t => {
  const source = createStaticSource({
    'sc-b': [{ host: '10.0.0.1', port: 8080 }, { host: '10.0.0.2', port: 8081 }, ...one],
  })
  const { match } = resolverOf(t, { source: source as never, services: ['sc-b'] })
  const rows: [port: number | undefined, secure: boolean, resolved: boolean][] = [
    [undefined, false, true],
    [undefined, true, true],
    [80, false, true],
    [443, true, true],
    [443, false, false],
    [80, true, false],
    [8080, false, true],
    [8081, true, true],
    [9464, false, false],
    [0, false, false],
  ]
  for (const [port, secure, resolved] of rows)
    t.equal(match('sc-b', port, secure) !== undefined, resolved, `${port} ${secure}`)
  source.update({ 'sc-b': [{ host: '10.0.0.1', port: 9464 }] })
  t.equal(match('sc-b', 9464), 'sc-b', 'ports follow the snapshot')
  t.equal(match('sc-b', 8080), undefined)
})

t.test('LANEWAY_SERVICES declares services', async t => {
  const source = createScriptedSource()
  const { match } = resolverOf(t, { source, services: ['sc-A'], env: { LANEWAY_SERVICES: ' sc-B, sc-C ,, ' } })
  t.strictSame(source.subscribed, ['sc-A', 'sc-B', 'sc-C'])
  t.equal(match('sc-c'), 'sc-C')
  t.throws(() => resolverOf(t, { env: { LANEWAY_SERVICES: 'a b' } }), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /LANEWAY_SERVICES/,
  })
})

t.test('a declared service that no registry has is waited for at first, then left to DNS until it appears', async t => {
  const source = createScriptedSource()
  let now = 0
  const { match } = resolverOf(t, { source, services: ['sc-b'], readyTimeoutMs: 100, now: () => now })
  const steps: [name: string, at: number, happens: () => void, resolved: boolean][] = [
    ['no answer yet', 1000, () => {}, true],
    ['no such service', 1000, () => source.missing('sc-b'), true],
    ['nearly long enough', 1099, () => source.missing('sc-b'), true],
    ['said again and again', 1100, () => source.missing('sc-b'), false],
    ['a lost registry has not taken it back', 1200, () => source.stale('sc-b', new Error('lost')), false],
    ['there it is', 1300, () => source.snapshot('sc-b', one), true],
    ['gone: waited for again', 1400, () => source.missing('sc-b'), true],
    ['gone for good', 1500, () => {}, false],
    ['empty is no such thing', 1600, () => source.snapshot('sc-b', []), true],
  ]
  for (const [name, at, happens, resolved] of steps) {
    now = at
    happens()
    t.equal(match('sc-b') !== undefined, resolved, name)
  }
})

t.test('hosts from the network do not make the memory of hosts grow', async t => {
  const { ServiceRegistry } = await import('../src/service/service-registry.js')
  const { resolveLaneResolverOptions } = await import('../src/resolver-options.js')
  const { hubOf } = await import('../src/service/source-hub.js')
  const source = createStaticSource({ 'sc-b': one })
  const options = resolveLaneResolverOptions({ sources: [source], services: ['sc-b'], env: {} })
  const clock = { now: () => 0, injected: true }
  const registry = new ServiceRegistry(options, [hubOf(source)], { clock, gone: () => {}, changed: () => {} })
  registry.start()
  t.teardown(() => registry.close())
  for (let i = 0; i < 10_000; i++) registry.match(`host-${i}.example`)
  t.ok(registry.rememberedHosts > 100 && registry.rememberedHosts <= 2048, `${registry.rememberedHosts} are remembered`)
  registry.match('x'.repeat(100_000))
  t.ok(registry.rememberedHosts <= 2048)
  t.equal(registry.match('sc-b')?.name, 'sc-b')
})

t.test('wrong usage does not compile, and does not throw either', async t => {
  const { resolver } = resolverOf(t, { services: ['sc-b'] })
  // @ts-expect-error a service is named by a string
  t.equal(resolver.pick(7, undefined).outcome, 'not-ready')
  // @ts-expect-error a port is a number
  resolver.match('sc-b', '80', false)
  // @ts-expect-error a host is a string
  t.equal(resolver.match(undefined, 80, false), undefined)
})
