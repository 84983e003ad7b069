import { readdirSync, readFileSync } from 'node:fs'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { createNacosSource } from '../src/index.js'
import { client, server } from './harness.js'
import { host, ok, type RawServer, serviceInfo } from './raw-server.js'

const quick = { maxReconnectDelayMs: 50, redoIntervalMs: 30 }
/** Longer than any test: what is kept within it does not depend on how fast the machine is. */
const LONG_MS = 600_000
const gray = { 'alicloud.service.tag': 'gray' }
const blue = { 'opensergo.io/canary-blue': 'blue' }

/** `port:tags` of the latest snapshot. */
const latest = ({ endpoints }: SourceReports): string[] => endpoints.map(one => `${one.port}:${one.tags?.join('+')}`)

async function push(nacos: RawServer, name: string, hosts: object[], more: object = {}): Promise<void> {
  nacos.hosts = hosts
  const before = nacos.received.filter(one => one.type === 'NotifySubscriberResponse').length
  for (const one of nacos.open)
    one.push('NotifySubscriberRequest', { requestId: 'p', serviceInfo: serviceInfo(name, hosts, more) })
  await nacos.message('NotifySubscriberResponse', before + nacos.open.length)
}

t.test('instances become endpoints with their lanes, health and share', async t => {
  const nacos = await server(t, {
    hosts: [
      host('10.0.0.1', 1, gray),
      host('10.0.0.2', 2, { 'opensergo.io/canary': '' }, { weight: 5, clusterName: 'hangzhou' }),
      host('10.0.0.3', 3, { ...gray, ...blue }, { healthy: false }),
      host('10.0.0.4', 4, { __proto__: 'x', version: '1.2.3' }, { enabled: false, weight: 0 }),
    ],
  })
  const source = createNacosSource(client(t, nacos))
  t.same([source.name, source.caseInsensitive], ['nacos', false])
  const seen = new SourceReports()
  source.subscribe('sc-B', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  t.match(seen.snapshots[0], [
    { host: '10.0.0.1', port: 1, weight: 1, health: 'healthy', enabled: true, tags: ['gray'], metadata: gray },
    { host: '10.0.0.2', port: 2, weight: 5, health: 'healthy', tags: [], zone: 'hangzhou' },
    { host: '10.0.0.3', port: 3, health: 'unhealthy' },
    { host: '10.0.0.4', port: 4, enabled: false, weight: 0, tags: [] },
  ])
  t.same([...seen.snapshots[0]![2]!.tags!].sort(), ['blue', 'gray'])
  t.equal(seen.snapshots[0]![0]!.zone, undefined)
})

t.test('a tag from a further metadata name is opt-in', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, { version: 'gray' })] })
  const made = client(t, nacos)
  const [plain, opted] = [new SourceReports(), new SourceReports()]
  createNacosSource(made).subscribe('a', plain.listener)
  createNacosSource(made, { tagsFrom: ['version'] }).subscribe('b', opted.listener)
  await nacos.until(() => plain.snapshots.length === 1 && opted.snapshots.length === 1)
  t.same([latest(plain), latest(opted)], [['1:'], ['1:gray']])
})

t.test('when the protection threshold is reached, health is unknown', async t => {
  const nacos = await server(t)
  const seen = new SourceReports()
  createNacosSource(client(t, nacos)).subscribe('a', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  await push(nacos, 'a', [host('10.0.0.1', 1)], { reachProtectionThreshold: true })
  t.equal(seen.snapshots.at(-1)![0]!.health, 'unknown')
})

t.test('only the clusters that were asked for', async t => {
  const nacos = await server(t, {
    hosts: ['DEFAULT', 'a', 'b'].map((clusterName, i) => host('10.0.0.1', i + 1, {}, { clusterName })),
  })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos), { clusters: ['DEFAULT', 'b'] }).subscribe('s', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  t.same(latest(seen), ['1:', '3:'])
  t.equal((await nacos.message('SubscribeServiceRequest')).body.clusters, '', 'servers only know subscriptions to all')
})

t.test('a restarted, empty registry is not believed within the grace', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, gray), host('10.0.0.2', 2), host('10.0.0.3', 3)] })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos, quick), { returnGraceMs: LONG_MS }).subscribe('a', seen.listener)
  await seen.until(({ snapshots }) => snapshots.length === 1)
  const { port } = nacos
  await nacos.stop()
  await seen.until(({ errors }) => errors.length > 0)
  t.equal(seen.snapshots.length, 1)
  nacos.hosts = []
  await nacos.start(port)
  await seen.until(({ snapshots }) => snapshots.length === 2)
  t.same(latest(seen).sort(), ['1:gray', '2:', '3:'], 'its clients are not back yet')
  await push(nacos, 'a', [host('10.0.0.2', 2)])
  await push(nacos, 'a', [])
  t.same(latest(seen).sort(), ['1:gray', '3:'], 'an instance that came back and went again is gone')
})

t.test('after the grace an empty registry is believed', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, gray), host('10.0.0.2', 2)] })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos, quick), { returnGraceMs: 20 }).subscribe('a', seen.listener)
  await seen.until(({ snapshots }) => snapshots.length === 1)
  nacos.hosts = []
  nacos.kill()
  await seen.until(({ last, table }) => last === 'snapshot' && table === '')
  t.notOk(seen.kinds.includes('missing'))
})

t.test('an instance that only an old connection lists is kept when that ends, with the lane it had last', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, gray), host('10.0.0.2', 2), host('10.0.0.3', 3)] })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos, quick), { returnGraceMs: LONG_MS }).subscribe('a', seen.listener)
  await seen.until(({ snapshots }) => snapshots.length === 1)
  nacos.kill()
  await seen.until(({ snapshots }) => snapshots.length === 2)
  t.same(latest(seen), ['1:gray', '2:', '3:'])
  await push(nacos, 'a', [host('10.0.0.1', 1, blue), host('10.0.0.2', 2), host('10.0.0.3', 3)])
  await push(nacos, 'a', [])
  t.same(latest(seen).sort(), ['1:blue', '2:', '3:'])
  await push(nacos, 'a', [host('10.0.0.2', 2)])
  await push(nacos, 'a', [])
  t.same(latest(seen).sort(), ['1:blue', '3:'], 'an instance that came back and went again is gone')
})

t.test('without grace the first list of a new connection counts at once', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1)] })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos, quick), { returnGraceMs: 0 }).subscribe('a', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  nacos.hosts = []
  nacos.kill()
  await seen.until(({ snapshots }) => snapshots.length === 2)
  t.same(latest(seen), [])
})

t.test('an address that is listed twice with two lanes: the new one wins, also while both stay listed', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, gray), host('10.0.0.2', 2)] })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos)).subscribe('a', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  for (const both of [
    [gray, blue],
    [blue, gray],
    [gray, blue],
  ]) {
    await push(nacos, 'a', [...both.map(metadata => host('10.0.0.1', 1, metadata)), host('10.0.0.2', 2)])
    t.same(latest(seen), ['1:blue', '2:'])
  }
  await push(nacos, 'a', [host('10.0.0.1', 1, blue), host('10.0.0.2', 2)])
  t.same(latest(seen), ['1:blue', '2:'])
})

t.test('an address that is listed twice with two lanes at first sight belongs to none, and not to base', async t => {
  const nacos = await server(t, {
    hosts: [
      host('10.0.0.1', 1, gray),
      host('10.0.0.1', 1, {}),
      host('10.0.0.2', 2, gray),
      host('10.0.0.2', 2, { ...gray, x: 'y' }),
    ],
  })
  const seen = new SourceReports()
  createNacosSource(client(t, nacos)).subscribe('a', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  const [first, second] = seen.snapshots[0]!
  t.match(first!.tags, [/registered twice: gray \/ /], 'outside the grammar, so refused')
  t.same(second!.tags, ['gray'], 'other metadata alone is no conflict')
  t.equal(seen.snapshots[0]!.length, 2)
})

t.test('a snapshot on the disk serves a start while Nacos is down, then the live list takes over', async t => {
  const snapshotDir = t.testdir()
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1, gray), host('10.0.0.2', 2)] })
  const first = createNacosSource(client(t, nacos), { snapshotDir })
  const seen = new SourceReports()
  first.subscribe('a', seen.listener)
  await nacos.until(() => seen.snapshots.length === 1)
  await first.close()
  const [file] = readdirSync(snapshotDir)
  t.match(JSON.parse(readFileSync(`${snapshotDir}/${file}`, 'utf8')), { key: 'public@@DEFAULT_GROUP@@a' })
  const { port } = nacos
  await nacos.stop()
  const cold = new SourceReports()
  createNacosSource(client(t, nacos, quick), { snapshotDir, returnGraceMs: 50 }).subscribe('a', cold.listener)
  await nacos.until(() => cold.kinds.length >= 2)
  t.same(cold.kinds.slice(0, 2), ['snapshot', 'stale'])
  t.same(latest(cold), ['1:gray', '2:'])
  t.match(cold.errors[0]?.message, /using a snapshot \d+ s old/)
  nacos.hosts = [host('10.0.0.2', 2)]
  await nacos.start(port)
  await nacos.until(() => latest(cold).length === 1)
  t.same(latest(cold), ['2:'])
})

t.test('without a snapshot on the disk, or with a broken one, a start while Nacos is down is stale', async t => {
  const snapshotDir = t.testdir({ 'public%40%40DEFAULT_GROUP%40%40a.json': '{"key":' })
  const seen = new SourceReports()
  const made = client(t, '127.0.0.1:1', quick)
  createNacosSource(made, { snapshotDir }).subscribe('a', seen.listener)
  const nacos = await server(t)
  await nacos.until(() => seen.kinds.length > 0)
  t.equal(seen.kinds[0], 'stale')
  t.equal(seen.snapshots.length, 0)
})

t.test('names: the group of the source, group@@name, and a table', async t => {
  const nacos = await server(t)
  const source = createNacosSource(client(t, nacos), {
    group: 'G',
    namespace: 'team',
    services: { orders: 'com.acme.Orders', pay: { service: '12345', group: 'H', namespace: 'other' } },
  })
  for (const name of ['plain', 'X@@named', 'orders', 'pay', 'providers:x'])
    source.subscribe(name, new SourceReports().listener)
  await nacos.message('SubscribeServiceRequest', 5)
  const asked = nacos.received
    .filter(({ type }) => type === 'SubscribeServiceRequest')
    .map(({ body }) => `${body.namespace} ${body.groupName} ${body.serviceName}`)
  t.same(asked.sort(), [
    'other H 12345',
    'team G com.acme.Orders',
    'team G plain',
    'team G providers:x',
    'team X named',
  ])
})

t.test('the list of names has those of the option services, too', async t => {
  const nacos = await server(t)
  nacos.handlers['ServiceListRequest'] = () => ok('ServiceListResponse', { count: 2, serviceNames: ['a', 'b'] })
  const source = createNacosSource(client(t, nacos), { services: { own: 'x' } })
  const names = await new Promise<ReadonlySet<string>>(resolve => source.list!(resolve))
  t.same([...names].sort(), ['a', 'b', 'own'])
  t.equal(createNacosSource(client(t, nacos), { listIntervalMs: 0 }).list, undefined)
})

const listed = (nacos: RawServer) => nacos.received.filter(({ type }) => type === 'ServiceListRequest').length

t.test(
  'with declared services no names are read, until one has no instances; another spelling is found then',
  async t => {
    const nacos = await server(t, { hosts: [host('10.0.0.1', 1)] })
    const info = (name: string, hosts: object[]) =>
      ok('SubscribeServiceResponse', { serviceInfo: serviceInfo(name, hosts) })
    nacos.handlers['SubscribeServiceRequest'] = ({ body: { serviceName: name } }) =>
      info(name, name === 'ORDERS' || name === 'a' ? [host('10.0.0.1', 1)] : [])
    nacos.handlers['ServiceListRequest'] = () => ok('ServiceListResponse', { count: 2, serviceNames: ['a', 'ORDERS'] })
    const source = createNacosSource(client(t, nacos))
    const resolver = createLaneResolver({ sources: [source], services: ['a'] })
    t.teardown(() => resolver.close())
    await resolver.ready('a')
    t.equal(resolver.pick('a', undefined).endpoint?.port, 1)
    t.equal(listed(nacos), 0)
    t.equal(resolver.match('orders', undefined, false), 'orders')
    await nacos.until(() => resolver.pick('ORDERS', undefined).endpoint?.port === 1)
    t.ok(listed(nacos) >= 1)
  },
)

t.test('without declared services, or beside another source, the names are read at the start', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1)] })
  const [one, two] = [createNacosSource(client(t, nacos)), createNacosSource(client(t, nacos))]
  const undeclared = createLaneResolver({ sources: [one] })
  const beside = createLaneResolver({ sources: [two, createStaticSource({ a: [] })], services: ['a'] })
  await nacos.until(() => listed(nacos) === 2)
  // One source of two resolvers: the second needs the names.
  const shared = createNacosSource(client(t, nacos))
  const first = createLaneResolver({ sources: [shared], services: ['b'] })
  await first.ready('b')
  t.equal(listed(nacos), 2)
  const second = createLaneResolver({ sources: [shared] })
  await nacos.until(() => listed(nacos) === 3)
  for (const each of [undeclared, beside, first, second]) await each.close()
})

t.test('an ejected endpoint makes the source ask for the list of its service again, and of no other', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1), host('10.0.0.2', 2)] })
  const resolver = createLaneResolver({ sources: [createNacosSource(client(t, nacos))], services: ['a', 'b'] })
  t.teardown(() => resolver.close())
  await Promise.all([resolver.ready('a'), resolver.ready('b')])
  for (let call = 0; call < 40; call++) {
    const choice = resolver.pick('a', undefined)
    resolver.started(choice)
    resolver.finished(choice, choice.endpoint?.port === 1 ? 'connect-error' : 'ok')
  }
  await nacos.message('SubscribeServiceRequest', 3)
  t.equal(nacos.received.filter(({ type }) => type === 'SubscribeServiceRequest')[2]!.body.serviceName, 'a')
  t.doesNotThrow(() => createNacosSource(client(t, nacos)).suspect!(''))
})

t.test('closing the source ends its subscriptions at the server and leaves the client alone', async t => {
  const nacos = await server(t, { hosts: [host('10.0.0.1', 1)] })
  const made = client(t, nacos)
  const source = createNacosSource(made)
  const seen = new SourceReports()
  for (const name of ['a', 'b', 'c']) source.subscribe(name, seen.listener)
  await nacos.until(() => seen.snapshots.length === 3)
  await source.close()
  await source.close()
  await nacos.until(() => nacos.received.filter(({ body }) => body?.subscribe === false).length === 3)
  await push(nacos, 'a', [])
  t.equal(seen.snapshots.length, 3)
  t.equal(nacos.open.length, 1)
})

t.test('options are refused with their names', async t => {
  const made = client(t, '127.0.0.1:1')
  t.throws(() => createNacosSource(made, { tagFrom: [] } as never), /did you mean "tagsFrom"/)
  t.throws(() => createNacosSource(made, { returnGraceMs: Number.NaN }), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => createNacosSource(made, { returnGraceMs: '5000' as never }), /returnGraceMs is .*without quotes/)
  t.throws(() => createNacosSource(made, { listIntervalMs: -1 }), { code: 'LANEWAY_INVALID_OPTION' })
})
