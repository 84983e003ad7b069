import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { Cluster, PODS, SERVICES } from './cluster.js'

t.test('without the right to list pods the start fails, naming the verb and the other way', async t => {
  const cluster = await Cluster.start(t)
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = one => (one.path === PODS ? 403 : undefined)
  const source = cluster.source()
  const message =
    /not allowed to list pods in namespace shop; grant the verbs list and watch on pods, or use laneFrom: 'serviceLabel'/
  await t.rejects(source.ready(), { code: 'LANEWAY_AUTH', message })
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0], { code: 'LANEWAY_AUTH', message })
  t.notOk(seen.kinds.includes('snapshot'), 'and nothing is served')
})

t.test('the right to watch is named as well', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = one => (one.path === PODS && one.query.has('watch') ? 403 : undefined)
  const seen = cluster.watch('orders')
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0]?.message, /not allowed to watch pods/)
})

t.test('a right that is granted later is used', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = one => (one.path === PODS ? 403 : undefined)
  const seen = cluster.watch('orders')
  await seen.until(one => one.last === 'stale')
  cluster.api.faults.refuse = () => undefined
  await seen.untilTable('10.0.0.1:80=gray')
})

t.test('ready settles when everything was listed, and keeps the namespace watched', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  const source = cluster.source()
  const first = new SourceReports()
  const stop = source.subscribe('orders', first.listener)
  await source.ready()
  stop()
  const requests = cluster.api.requests.length
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.untilTable('10.0.0.1:80=base')
  t.equal(cluster.api.requests.length, requests)
})

t.test('the right to list is only needed where lists do not begin the watch', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = one => (one.path === PODS && !one.query.has('watch') ? 403 : undefined)
  await cluster.watch('orders').untilTable('10.0.0.1:80=gray')
  cluster.api.faults.noStreamingLists = 'refuse'
  const seen = cluster.watch('orders')
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0]?.message, /not allowed to list pods/)
})

t.test('without the right to get Services every pod of the namespace is followed', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = one => (one.path.startsWith(SERVICES) ? 403 : undefined)
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=gray')
  t.notOk(seen.kinds.includes('stale'))
  const watches = cluster.api.requests.filter(one => one.path === PODS)
  t.strictSame(
    watches.map(one => one.query.get('labelSelector')),
    [null],
  )
})

t.test('ready of a source that is closed meanwhile rejects', async t => {
  const cluster = await Cluster.start(t)
  cluster.api.stall()
  const source = cluster.source()
  const ready = source.ready()
  await Promise.all([t.rejects(ready, { code: 'LANEWAY_CLOSED' }), source.close()])
})

t.test('with one Service per lane no pod is read', async t => {
  const cluster = await Cluster.start(t)
  const gray = { 'alicloud.service.tag': 'gray' }
  cluster.slice('s1', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
  cluster.slice('s2', { service: 'orders-gray', labels: gray, endpoints: { '10.0.0.3': 'u3' } })
  cluster.slice('s3', {
    service: 'orders-v2',
    labels: { 'laneway.io/service': 'orders', 'opensergo.io/canary-v2': 'v2' },
    endpoints: { '10.0.0.4': 'u4' },
  })
  cluster.slice('s4', { service: 'orders-gray-area', labels: gray, endpoints: { '10.0.0.5': 'u5' } })
  const source = cluster.source({ laneFrom: 'serviceLabel' })
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=base 10.0.0.3:80=gray 10.0.0.4:80=v2')
  t.notOk(cluster.api.requests.some(one => one.path === PODS))
  const names = await new Promise<ReadonlySet<string>>(resolve => source.list(resolve))
  t.strictSame([...names].sort(), ['orders', 'orders-gray-area'])
  // The base Service selects the gray pod, too: it is not base for that.
  cluster.slice('s1', { endpoints: { '10.0.0.1': 'u1', '10.0.0.3': 'u3' } })
  await seen.untilTable('10.0.0.1:80=base 10.0.0.3:80=gray 10.0.0.4:80=v2')
})
