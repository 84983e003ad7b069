import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { podSelectorOf } from '../src/namespace/pod-selector.js'
import { Cluster, PODS, SERVICES, SLICES } from './cluster.js'

/** The label selectors of the lists so far, one for each. */
function selectors(cluster: Cluster, path: string): (string | null)[] {
  return cluster.api.requests
    .filter(({ path: own, query }) => own === path && query.has('sendInitialEvents'))
    .map(({ query }) => query.get('labelSelector'))
}

function put(cluster: Cluster, app: string, address: string, tag?: string): void {
  const labels = { app, ...(tag === undefined ? {} : { 'alicloud.service.tag': tag }) }
  cluster.service(app, { app })
  cluster.pod(app, tag, { labels })
  cluster.slice(app, { service: app, endpoints: { [address]: app } })
}

t.test('only the slices and pods of the services that are asked for are followed', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1', 'gray')
  put(cluster, 'bills', '10.0.0.2')
  put(cluster, 'users', '10.0.0.3')
  const source = cluster.source()
  const [orders, bills, users] = [new SourceReports(), new SourceReports(), new SourceReports()]
  source.subscribe('orders', orders.listener)
  source.subscribe('bills', bills.listener)
  await Promise.all([orders.untilTable('10.0.0.1:80=gray'), bills.untilTable('10.0.0.2:80=base')])
  t.strictSame(selectors(cluster, SLICES), ['kubernetes.io/service-name in (bills,orders)'])
  t.strictSame(selectors(cluster, PODS), ['app in (bills,orders)'])
  t.equal(cluster.api.requests.filter(one => one.path.startsWith(SERVICES)).length, 2)
  const told = orders.kinds.length

  source.subscribe('users', users.listener)
  await users.untilTable('10.0.0.3:80=base')
  t.equal(selectors(cluster, SLICES).at(-1), 'kubernetes.io/service-name in (bills,orders,users)')
  t.equal(selectors(cluster, PODS).at(-1), 'app in (bills,orders,users)')
  cluster.pod('orders', 'blue', { labels: { app: 'orders', 'alicloud.service.tag': 'blue' } })
  await orders.untilTable('10.0.0.1:80=blue')
  t.notOk(orders.kinds.slice(told).includes('stale'), 'the others are not disturbed')
  t.notOk(users.kinds.includes('missing'), 'a service is not missing before its slices were listed')
})

t.test('changes between two selections are not lost', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1')
  put(cluster, 'bills', '10.0.0.2')
  const source = cluster.source()
  const orders = new SourceReports()
  source.subscribe('orders', orders.listener)
  await orders.untilTable('10.0.0.1:80=base')
  for (let turn = 0; turn < 30; turn++) {
    const seen = new SourceReports()
    source.subscribe(turn % 3 === 0 ? 'bills' : `other-${turn % 8}`, seen.listener)
    const tag = `t${turn}`
    cluster.pod('orders', tag, { labels: { app: 'orders', 'alicloud.service.tag': tag } })
    for (let i = 0; i < turn % 4; i++) await new Promise(resolve => setImmediate(resolve))
    cluster.slice('orders', { service: 'orders', endpoints: { [`10.0.1.${turn}`]: 'orders' } })
    await orders.untilTable(`10.0.1.${turn}:80=${tag}`)
  }
  t.pass('every label and address was seen')
})

t.test('a name that is no service is asked for once', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1')
  const source = cluster.source()
  // Somebody uses the namespace all the time.
  source.subscribe('orders', new SourceReports().listener)
  for (let turn = 0; turn < 3; turn++) {
    const seen = new SourceReports()
    const stop = source.subscribe('mysql', seen.listener)
    await seen.until(one => one.last === 'missing')
    stop()
    const orders = new SourceReports()
    source.subscribe('orders', orders.listener)
    await orders.untilTable('10.0.0.1:80=base')
  }
  t.strictSame(selectors(cluster, SLICES), ['kubernetes.io/service-name in (mysql,orders)'])
  put(cluster, 'mysql', '10.0.0.9')
  const seen = new SourceReports()
  source.subscribe('mysql', seen.listener)
  await seen.untilTable('10.0.0.9:80=base')
  t.pass('a Service that comes later is found')
})

t.test('beyond narrowUpTo services the whole namespace is followed', async t => {
  const cluster = await Cluster.start(t)
  for (const [index, app] of ['a', 'b', 'c', 'd'].entries()) put(cluster, app, `10.0.0.${index}`)
  const source = cluster.source({ narrowUpTo: 2 })
  for (const [index, app] of ['a', 'b', 'c', 'd'].entries()) {
    const seen = new SourceReports()
    source.subscribe(app, seen.listener)
    await seen.untilTable(`10.0.0.${index}:80=base`)
  }
  t.strictSame(selectors(cluster, SLICES), [
    'kubernetes.io/service-name in (a)',
    'kubernetes.io/service-name in (a,b)',
    'kubernetes.io/service-name',
  ])
  t.strictSame(selectors(cluster, PODS), ['app=a', 'app in (a,b)', null])
  const whole = cluster.source({ narrowUpTo: 0 })
  const seen = new SourceReports()
  whole.subscribe('a', seen.listener)
  await seen.untilTable('10.0.0.0:80=base')
  t.strictSame(
    [selectors(cluster, SLICES).at(-1), selectors(cluster, PODS).at(-1)],
    ['kubernetes.io/service-name', null],
  )
})

t.test('a listing follows every slice, and the pods of the asked services only', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1')
  put(cluster, 'bills', '10.0.0.2')
  const source = cluster.source()
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.untilTable('10.0.0.1:80=base')
  const names = await new Promise<ReadonlySet<string>>(resolve => source.list(resolve))
  t.strictSame([...names].sort(), ['bills', 'orders'])
  t.equal(selectors(cluster, PODS).at(-1), 'app=orders')
})

for (const [name, selector] of Object.entries({ 'has no selector': {}, 'does not exist': undefined })) {
  t.test(`pods behind a Service that ${name} are found, and never base before`, async t => {
    const cluster = await Cluster.start(t)
    cluster.pod('u1', 'gray', { labels: { 'alicloud.service.tag': 'gray' } })
    cluster.service('orders', selector ?? { app: 'orders' })
    cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
    if (selector === undefined) cluster.api.store.remove(SERVICES, 'orders')
    const seen = cluster.watch('orders')
    await seen.until(one => one.last === 'snapshot')
    t.equal(seen.table, '10.0.0.1:80=gray')
    t.equal(selectors(cluster, PODS).at(-1), null)
  })
}

t.test('slices whose pods are gone do not make it follow the namespace', async t => {
  const cluster = await Cluster.start(t)
  cluster.slice('s', { endpoints: { '10.0.0.1': 'gone' } })
  cluster.api.store.remove(SERVICES, 'orders')
  const seen = cluster.watch('orders', { reportHeldAfterMs: 100 })
  await seen.until(one => one.last === 'snapshot')
  t.strictSame(seen.endpoints, [])
  t.ok(cluster.api.requests.some(one => one.query.get('fieldSelector') === 'metadata.name=pod-gone'))
  t.notOk(selectors(cluster, PODS).includes(null), 'nobody follows all pods')
})

t.test('a Service with another selector is read again', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1', 'gray')
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=gray')
  cluster.pod('new', 'blue', { labels: { role: 'orders', 'alicloud.service.tag': 'blue' } })
  cluster.api.store.put(SERVICES, { metadata: { name: 'orders' }, spec: { selector: { role: 'orders' } } })
  cluster.slice('orders', { service: 'orders', endpoints: { '10.0.0.1': 'orders', '10.0.0.2': 'new' } })
  await seen.untilTable('10.0.0.2:80=blue')
  t.equal(selectors(cluster, PODS).at(-1), 'role=orders')
  t.notMatch(seen.table, 'base')
})

t.test('a pod that leaves the selector and comes back is known again', async t => {
  const cluster = await Cluster.start(t)
  put(cluster, 'orders', '10.0.0.1', 'gray')
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=gray')
  cluster.pod('orders', undefined, { labels: { app: 'debug' } })
  await seen.until(one => one.endpoints.length === 0)
  cluster.pod('orders', 'blue', { labels: { app: 'orders', 'alicloud.service.tag': 'blue' } })
  await seen.untilTable('10.0.0.1:80=blue')
  t.equal(cluster.lists(PODS), 1, 'an event of an object that was there before is not taken for a late one')
})

t.test('one selector for the pods of several Services', t => {
  const cases: [selectors: Record<string, string>[], expected: string | undefined][] = [
    [[{ app: 'a' }], 'app=a'],
    [[{ app: 'a' }, { app: 'b' }, { app: 'a' }], 'app in (a,b)'],
    [[{ app: 'a', tier: 'web' }, { app: 'b' }], 'app in (a,b)'],
    [
      [
        { app: 'a', tier: 'web' },
        { app: 'b', tier: 'web' },
      ],
      'app in (a,b),tier=web',
    ],
    [[{ app: 'a' }, { name: 'b' }], undefined],
    [[{ app: 'a' }, { name: 'b' }, { app: 'c' }], undefined],
    [[{ constructor: 'a' }, { app: 'b' }], undefined],
  ]
  for (const [selectors, expected] of cases) t.equal(podSelectorOf(selectors), expected)
  t.match(podSelectorOf([]), /!/, 'without any, no pod is selected')
  t.end()
})
