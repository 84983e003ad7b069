import { lastingOf } from '@laneway/discovery/internal'
import { eventually, SourceReports } from '@laneway/testkit'
import t from 'tap'
import { Cluster, PODS, SERVICES, SLICES } from './cluster.js'

t.test('the lane of an endpoint is in the labels of its pod', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2', 'gray')
  cluster.pod('u3', 'base')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.3': 'u3' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray 10.0.0.3:80=base')
  t.equal(seen.endpoints[1]?.health, 'healthy')
  t.equal(seen.endpoints[1]?.metadata?.['app'], 'orders')
  const list = cluster.api.requests.find(one => one.path === PODS)
  t.match(list?.headers.accept, /as=PartialObjectMetadata;/, 'labels only')
  t.match(list?.headers.authorization, 'Bearer test-token')
})

t.test('conditions mean what the API says', async t => {
  const pod = { targetRef: { kind: 'Pod', uid: 'u1' } }
  const cases: [conditions: Record<string, boolean> | undefined, health: string, enabled: boolean][] = [
    [undefined, 'healthy', true],
    [{}, 'healthy', true],
    [{ ready: true, serving: true, terminating: false }, 'healthy', true],
    [{ ready: false, serving: false, terminating: false }, 'unhealthy', true],
    [{ ready: false, serving: true, terminating: true }, 'unhealthy', true],
    [{ ready: false, serving: false, terminating: true }, 'unhealthy', false],
    [{ ready: false, terminating: true }, 'unhealthy', false],
    [{ ready: true, serving: true, terminating: true }, 'healthy', true],
  ]
  for (const [conditions, health, enabled] of cases) {
    const cluster = await Cluster.start(t)
    cluster.pod('u1')
    cluster.slice('s', { endpoints: { '10.0.0.1': { ...(conditions === undefined ? {} : { conditions }), ...pod } } })
    const seen = cluster.watch('orders')
    await seen.untilTable('10.0.0.1:80=base')
    const [one] = seen.endpoints
    t.strictSame([one?.health, one?.enabled], [health, enabled], JSON.stringify(conditions))
  }
})

t.test('an endpoint whose pod is not known is held back, not served as base', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.3': 'u3' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base')
  cluster.pod('u2', 'gray')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray')
  t.strictSame(cluster.warnings, [])
})

t.test('an endpoint that is held back for long is reported once, and stays held back', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.3': 'u3' } })
  const seen = cluster.watch('orders', { reportHeldAfterMs: 5 })
  await eventually(() => cluster.warnings.length > 0)
  t.match(cluster.warnings[0], /1 endpoint\(s\) of service orders .* 10\.0\.0\.3 is pod pod-u3 \(uid u3\)/)
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray')
  cluster.pod('u3')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray 10.0.0.3:80=base')
  t.equal(cluster.warnings.length, 1)
})

t.test('a service of unknown pods only is not ready, and after the report it is empty', async t => {
  const cluster = await Cluster.start(t)
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  const seen = cluster.watch('orders', { reportHeldAfterMs: 40 })
  await seen.until(one => one.kinds.length > 0)
  t.strictSame(seen.kinds, ['snapshot'])
  t.equal(cluster.warnings.length, 1, 'not before the report')
  t.strictSame(seen.endpoints, [])
})

t.test('the join is by uid: a pod that gets the address of another does not inherit its lane', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('old', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'old' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=gray')
  // The slice is ahead of the pods: the new pod is not known yet.
  cluster.slice('s', { endpoints: { '10.0.0.1': 'new', '10.0.0.2': 'old' } })
  await seen.untilTable('10.0.0.2:80=gray')
  cluster.pod('new')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray')
})

t.test('of two pods at one address in two slices the younger counts', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('old', 'gray', { creationTimestamp: '2026-01-01T00:00:00Z' })
  cluster.pod('new', undefined, { creationTimestamp: '2026-01-01T00:00:01Z' })
  cluster.pod('twin', 'blue', { creationTimestamp: '2026-01-01T00:00:01Z' })
  cluster.slice('s1', { endpoints: { '10.0.0.1': 'old' } })
  cluster.slice('s2', { endpoints: { '10.0.0.1': 'new', '10.0.0.9': 'new' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.9:80=base')
  cluster.slice('s3', { endpoints: { '10.0.0.1': 'twin' } })
  await seen.untilTable('10.0.0.9:80=base')
  t.equal(seen.endpoints.length, 1, 'of the same age and in two lanes, neither counts')
})

t.test('a service has several slices, and an endpoint may stand in two', async t => {
  const cluster = await Cluster.start(t)
  for (const uid of ['u1', 'u2', 'u3']) cluster.pod(uid)
  cluster.slice('s1', {
    endpoints: {
      '10.0.0.1': 'u1',
      '10.0.0.2': { conditions: { ready: false }, targetRef: { kind: 'Pod', uid: 'u2' } },
    },
  })
  cluster.slice('s2', { endpoints: { '10.0.0.2': 'u2' } })
  cluster.slice('s3', { endpoints: { '10.0.0.3': 'u3' } })
  cluster.slice('other', { service: 'billing', endpoints: { '10.0.0.4': 'u1' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=base 10.0.0.3:80=base')
  t.equal(seen.endpoints.find(one => one.host === '10.0.0.2')?.health, 'healthy', 'ready in one of them is ready')
  cluster.api.store.remove(SLICES, 's2')
  await seen.until(one => one.endpoints.find(e => e.host === '10.0.0.2')?.health === 'unhealthy')
  t.equal(seen.endpoints.length, 3)
})

t.test('a slice that is as before is reported as the same objects, which can never change', async t => {
  const cluster = await Cluster.start(t)
  for (const uid of ['u1', 'u2', 'u3']) cluster.pod(uid)
  cluster.slice('s1', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.slice('s2', {
    endpoints: {
      '10.0.0.2': {
        targetRef: { kind: 'Pod', uid: 'u2' },
        zone: 'zone-1',
        hints: { forZones: [{ name: 'zone-1' }] },
      },
      '10.0.0.3': 'u3',
    },
  })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=base 10.0.0.3:80=base')
  const at = (host: string) => seen.endpoints.find(one => one.host === host)
  const before = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(at)
  cluster.pod('u1', 'gray')
  await seen.untilTable('10.0.0.1:80=gray 10.0.0.2:80=base 10.0.0.3:80=base')
  t.not(at('10.0.0.1'), before[0])
  t.equal(at('10.0.0.2'), before[1])
  t.equal(at('10.0.0.3'), before[2])
  for (const one of seen.endpoints) {
    t.equal(lastingOf(one), one)
    for (const part of Object.values(one)) t.ok(Object.isFrozen(part), JSON.stringify(part))
  }
})

t.test('an endpoint without a pod belongs to the lane of its Service', async t => {
  const cluster = await Cluster.start(t)
  cluster.slice('s1', { endpoints: { '192.0.2.1': {} } })
  cluster.slice('s2', { labels: { 'alicloud.service.tag': 'gray' }, endpoints: { '192.0.2.2': {} } })
  await cluster.watch('orders').untilTable('192.0.2.1:80=base 192.0.2.2:80=gray')
})

t.test('a dual-stack Service counts each pod once', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s4', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.slice('s6', { family: 'IPv6', endpoints: { 'fd00::1': 'u1' } })
  await cluster.watch('orders').untilTable('10.0.0.1:80=base')
  await cluster.watch('orders', { addressFamily: 'IPv6' }).untilTable('fd00::1:80=base')
})

t.test('the port is the only one, the one named http, or the one that is asked for', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.api.store.put(SERVICES, {
    metadata: { name: 'orders' },
    spec: {
      ports: [
        { name: 'metrics', port: 80 },
        { name: 'web', port: 8080 },
      ],
    },
  })
  const both = [
    { name: 'metrics', port: 9464 },
    { name: 'web', port: 3000 },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ]
  cluster.slice('s', { ports: both, endpoints: { '10.0.0.1': 'u1' } })
  await cluster.watch('orders', { port: 'web' }).untilTable('10.0.0.1:3000=base')
  await cluster.watch('orders', { port: 8080 }).untilTable('10.0.0.1:3000=base')
  await cluster.watch('orders', { port: 80 }).untilTable('10.0.0.1:9464=base')
  await cluster.watch('orders', { port: { 'orders.shop': 'web', other: 1 } }).untilTable('10.0.0.1:3000=base')
  t.strictSame(cluster.warnings, [])
  await cluster.watch('orders').untilTable('10.0.0.1:9464=base')
  t.match(cluster.warnings[0], /has the ports metrics, web and none is named http: 9464 is used/)
  cluster.warnings.length = 0
  await cluster.watch('orders', { port: 'dns' }).until(one => one.last === 'snapshot')
  t.match(cluster.warnings[0], /has no port dns: its ports are metrics, web/)
  cluster.slice('s', { ports: [...both, { name: 'http', port: 8000 }], endpoints: { '10.0.0.1': 'u1' } })
  await cluster.watch('orders').untilTable('10.0.0.1:8000=base')
})

t.test('services of another namespace have the namespace in their name', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  const source = cluster.source({ namespace: 'other' })
  for (const name of ['orders.shop', 'ORDERS.shop.svc', 'orders.shop.svc.cluster.local']) {
    const seen = new SourceReports()
    source.subscribe(name, seen.listener)
    await seen.untilTable('10.0.0.1:80=base')
  }
  t.equal(cluster.lists(SLICES), 1, 'one list for all')
})

t.test('the last unsubscribe ends the watches; calling it twice does nothing', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  const source = cluster.source()
  const first = new SourceReports()
  const second = new SourceReports()
  const stop = source.subscribe('orders', first.listener)
  const stopSecond = source.subscribe('orders', second.listener)
  await Promise.all([first.untilTable('10.0.0.1:80=base'), second.untilTable('10.0.0.1:80=base')])
  stop()
  stop()
  cluster.pod('u1', 'gray')
  await second.untilTable('10.0.0.1:80=gray')
  t.equal(first.table, '10.0.0.1:80=base', 'an ended subscription is told nothing more')
  stopSecond()
  await source.close()
  while (cluster.api.watches(PODS) + cluster.api.watches(SLICES) > 0)
    await new Promise(resolve => setImmediate(resolve))
  const late = new SourceReports()
  source.subscribe('orders', late.listener)
  t.match(late.errors[0], { code: 'LANEWAY_CLOSED' })
  await t.rejects(source.ready(), { code: 'LANEWAY_CLOSED' })
})

t.test('a service of many slices is reported once, also when some have no such port', async t => {
  const cluster = await Cluster.start(t)
  for (let i = 0; i < 45; i++) {
    cluster.pod(`u${i}`)
    const ports = i % 3 === 0 ? [{ name: 'other', port: 1 }] : [{ name: 'web', port: 80 }]
    cluster.slice(`s${i}`, { ports, endpoints: { [`10.0.0.${i}`]: `u${i}` } })
  }
  const seen = cluster.watch('orders', { port: 'web' })
  await seen.until(one => one.endpoints.length === 30)
  t.strictSame(seen.kinds, ['snapshot'])
  cluster.pod('u1', 'gray')
  await seen.until(one => one.endpoints.some(endpoint => endpoint.tags?.includes('gray')))
  t.equal(seen.endpoints.length, 30)
})
