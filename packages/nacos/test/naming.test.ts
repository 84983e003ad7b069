import t from 'tap'
import type { NamingListener, ServiceInfo } from '../src/index.js'
import { client, server } from './harness.js'
import { host, ok, type RawServer, refused, serviceInfo } from './raw-server.js'

const quick = { maxReconnectDelayMs: 50, redoIntervalMs: 30 }

interface Heard extends NamingListener {
  readonly infos: ServiceInfo[]
  readonly errors: string[]
  ports(): number[][]
}

function ear(): Heard {
  const infos: ServiceInfo[] = []
  const errors: string[] = []
  return {
    infos,
    errors,
    info: info => void infos.push(info),
    lost: error => void errors.push(error.code),
    ports: () => infos.map(({ instances }) => instances.map(({ port }) => port)),
  }
}

function notify(nacos: RawServer, name: string, hosts: object[], more: object = {}): Promise<unknown> {
  const before = nacos.received.filter(one => one.type === 'NotifySubscriberResponse').length
  for (const connection of nacos.open) {
    // As Java servers do: no name outside serviceInfo.
    connection.push('NotifySubscriberRequest', {
      requestId: 'p',
      module: 'naming',
      serviceInfo: serviceInfo(name, hosts, more),
    })
  }
  return nacos.message('NotifySubscriberResponse', before + nacos.open.length)
}

const [one, two, three] = [host('10.0.0.1', 1), host('10.0.0.2', 2), host('10.0.0.3', 3)]

t.test('the list comes with the answer, then with each push; an empty one is heard, too', async t => {
  const nacos = await server(t, { hosts: [one, two, three] })
  const made = client(t, nacos)
  const heard = ear()
  made.naming.subscribe({ service: 'sc-B' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  await notify(nacos, 'sc-B', [one, three])
  await notify(nacos, 'sc-B', [])
  t.same(heard.ports(), [[1, 2, 3], [1, 3], []])
  t.match(await nacos.message('SubscribeServiceRequest'), {
    via: 'unary',
    body: {
      namespace: 'public',
      serviceName: 'sc-B',
      groupName: 'DEFAULT_GROUP',
      clusters: '',
      subscribe: true,
      module: 'naming',
      headers: {},
    },
  })
})

t.test('allIPs, allIps or neither, instanceId or not: the same instances', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.message('SubscribeServiceRequest')
  await notify(nacos, 'a', [one], { allIPs: false })
  await notify(nacos, 'a', [one], { allIps: false })
  await notify(nacos, 'a', [{ ...one, instanceId: '10.0.0.1#1#DEFAULT#DEFAULT_GROUP@@a' }])
  const [, first, second, third] = heard.infos
  t.same(first!.instances, second!.instances)
  t.same(second!.instances, third!.instances)
})

t.test('a push that is older than what is held is ignored, and does not become what is held', async t => {
  const nacos = await server(t, { hosts: [one] })
  const made = client(t, nacos)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  const at = heard.infos[0]!.lastRefTime
  await notify(nacos, 'a', [one, two], { lastRefTime: at + 100 })
  await notify(nacos, 'a', [], { lastRefTime: at + 50 })
  await notify(nacos, 'a', [three], { lastRefTime: at + 99 })
  await notify(nacos, 'a', [two], { lastRefTime: at + 100 })
  t.same(heard.ports(), [[1], [1, 2], [2]])
})

t.test('a push that overtakes the answer to its subscription stays', async t => {
  const nacos = await server(t)
  nacos.handlers['SubscribeServiceRequest'] = async ({ connection }) => {
    const old = serviceInfo('a', [], { lastRefTime: 1000 })
    connection.push('NotifySubscriberRequest', {
      requestId: 'early',
      serviceInfo: serviceInfo('a', [one], { lastRefTime: 2000 }),
    })
    await nacos.message('NotifySubscriberResponse')
    return ok('SubscribeServiceResponse', { serviceInfo: old })
  }
  const made = client(t, nacos)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length > 0)
  await notify(nacos, 'other', [])
  t.same(heard.ports(), [[1]])
})

t.test('a new server may have an older clock: times are compared within one session only', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  const heard = ear()
  nacos.handlers['SubscribeServiceRequest'] = ({ connection }) => {
    const first = connection === nacos.connections[0]
    return ok('SubscribeServiceResponse', {
      serviceInfo: serviceInfo('a', first ? [one] : [two], { lastRefTime: first ? 9e12 : 5 }),
    })
  }
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  nacos.kill()
  await nacos.until(() => heard.infos.length === 2)
  t.same(heard.ports(), [[1], [2]])
  t.same(heard.errors, ['LANEWAY_NACOS_UNAVAILABLE'])
})

t.test('subscribers of one service share one subscription; the last one really ends it', async t => {
  const nacos = await server(t, { hosts: [one] })
  const made = client(t, nacos)
  const [first, second, third] = [ear(), ear(), ear()]
  const stops = [first, second, third].map(heard => made.naming.subscribe({ service: 'a' }, heard))
  await nacos.until(() => third.infos.length === 1)
  const late = ear()
  const stopLate = made.naming.subscribe({ service: 'a' }, late)
  t.same(late.ports(), [[1]], 'a late one hears at once what is known')
  stops[1]!()
  stops[1]!()
  await notify(nacos, 'a', [two])
  t.same(
    [first, second, third, late].map(heard => heard.ports().length),
    [2, 1, 2, 2],
  )
  for (const stop of [stops[0]!, stops[2]!, stopLate]) stop()
  t.match(await nacos.message('SubscribeServiceRequest', 2), { body: { subscribe: false } })
  await notify(nacos, 'a', [three])
  t.equal(first.infos.length, 2)
  t.equal(nacos.received.filter(({ type }) => type === 'SubscribeServiceRequest').length, 2)
})

t.test('subscribe, unsubscribe, subscribe in one breath ends subscribed', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  await made.ready()
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, ear())()
  made.naming.subscribe({ service: 'a' }, ear())()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length > 0)
  await made.naming.query({ service: 'a' })
  t.equal(nacos.received.findLast(({ type }) => type === 'SubscribeServiceRequest')?.body.subscribe, true)
})

t.test('TCP killed between a subscription and its answer: one subscription on the next connection', async t => {
  const nacos = await server(t, { hosts: [one] })
  nacos.handlers['SubscribeServiceRequest'] = ({ connection, body }) => {
    if (connection === nacos.connections[0]) return void nacos.kill()
    return ok('SubscribeServiceResponse', { serviceInfo: serviceInfo(body.serviceName, [one]) })
  }
  const made = client(t, nacos, quick)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  t.equal(nacos.open.length, 1)
  t.equal(nacos.open[0]!.of('SubscribeServiceRequest').length, 1)
})

t.test('TCP killed during redo: the third connection has everything, once', async t => {
  const nacos = await server(t, { hosts: [one] })
  const made = client(t, nacos, quick)
  const heard = ['a', 'b', 'c'].map(service => {
    const one = ear()
    made.naming.subscribe({ service }, one)
    return one
  })
  await made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port: 9 })
  await nacos.until(() => heard.every(({ infos }) => infos.length === 1))
  nacos.handlers['SubscribeServiceRequest'] = ({ connection, body }) => {
    if (connection === nacos.connections[1] && body.serviceName === 'b') return void nacos.kill()
    return ok('SubscribeServiceResponse', { serviceInfo: serviceInfo(body.serviceName, [two]) })
  }
  nacos.kill()
  await nacos.until(
    () => heard.every(({ infos }) => infos.at(-1)!.instances[0]!.port === 2) && nacos.connections.length === 3,
  )
  await nacos.until(() => nacos.open.length === 1 && nacos.open[0]!.of('InstanceRequest').length === 1)
  t.same(
    nacos.open[0]!.of('SubscribeServiceRequest')
      .map(({ body }) => body.serviceName)
      .sort(),
    ['a', 'b', 'c'],
  )
})

t.test('TCP killed in the middle of a push: the half is dropped, the next connection has the list', async t => {
  const nacos = await server(t, { hosts: [one] })
  const made = client(t, nacos, quick)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  nacos.hosts = [two, three]
  nacos.open[0]!.stream!.write(Buffer.from([0, 0, 0, 10, 0, 0x12, 0x05]), () => nacos.kill())
  await nacos.until(() => heard.infos.length === 2)
  t.same(heard.ports(), [[1], [2, 3]])
})

t.test('a subscription that is refused is tried again, and says so meanwhile', async t => {
  const nacos = await server(t)
  let times = 0
  nacos.handlers['SubscribeServiceRequest'] = () =>
    ++times < 3 ? refused(500, 'not now') : ok('SubscribeServiceResponse', { serviceInfo: serviceInfo('a', [one]) })
  const made = client(t, nacos, quick)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  t.same(heard.errors, ['LANEWAY_NACOS_REFUSED', 'LANEWAY_NACOS_REFUSED'])
})

t.test('5,000 instances in one push arrive whole', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  const heard = ear()
  made.naming.subscribe({ service: 'a' }, heard)
  await nacos.until(() => heard.infos.length === 1)
  const many = Array.from({ length: 5000 }, (_, i) =>
    host(`10.1.${i >> 8}.${i & 255}`, 8080, { 'alicloud.service.tag': `t${i % 7}`, text: 'x'.repeat(200) }),
  )
  await notify(nacos, 'a', many)
  t.equal(heard.infos[1]!.instances.length, 5000)
  t.equal(heard.infos[1]!.instances[4999]!.metadata['alicloud.service.tag'], 't1')
  t.equal(nacos.connections.length, 1)
})

t.test('the group and a namespace of its own are sent, "" never', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, { namespace: '' })
  t.equal(made.namespace, 'public')
  await made.naming.query({ service: 'a', group: 'G', namespace: 'team' })
  await made.naming.query({ service: 'a', group: '', namespace: '' })
  const [first, second] = nacos.received.filter(({ type }) => type === 'ServiceQueryRequest')
  t.match(first!.body, { groupName: 'G', namespace: 'team' })
  t.match(second!.body, { groupName: 'DEFAULT_GROUP', namespace: 'public' })
  t.throws(() => made.naming.subscribe({ service: 'G@@a' }, ear()), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('one service in two namespaces: a push without namespace is asked about, not guessed', async t => {
  const nacos = await server(t)
  nacos.handlers['SubscribeServiceRequest'] = ({ body }) =>
    ok('SubscribeServiceResponse', { serviceInfo: serviceInfo('a', body.namespace === 'team' ? [two] : [one]) })
  const made = client(t, nacos)
  const [open, team] = [ear(), ear()]
  made.naming.subscribe({ service: 'a' }, open)
  made.naming.subscribe({ service: 'a', namespace: 'team' }, team)
  await nacos.until(() => open.infos.length === 1 && team.infos.length === 1)
  await notify(nacos, 'a', [three])
  await nacos.until(() => open.infos.length === 2 && team.infos.length === 2)
  t.same(
    [open.ports(), team.ports()],
    [
      [[1], [1]],
      [[2], [2]],
    ],
  )
})

t.test('names are listed page by page, without their group', async t => {
  const nacos = await server(t)
  const all = Array.from({ length: 1100 }, (_, i) => `s${i}`)
  nacos.handlers['ServiceListRequest'] = ({ body }) => {
    const page = all.slice((body.pageNo - 1) * body.pageSize, body.pageNo * body.pageSize)
    return ok('ServiceListResponse', { count: all.length, serviceNames: page })
  }
  const made = client(t, nacos)
  t.same((await made.naming.list()).length, 1100)
})

t.test('registering: all fields, again on a new connection, gone with close', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port: 9, metadata: { a: 'b' } })
  const instance = {
    ip: '10.0.0.9',
    port: 9,
    weight: 1,
    healthy: true,
    enabled: true,
    ephemeral: true,
    clusterName: 'DEFAULT',
    metadata: { a: 'b' },
  }
  t.match(await nacos.message('InstanceRequest'), { body: { type: 'registerInstance', serviceName: 'own', instance } })
  nacos.kill()
  t.match(await nacos.message('InstanceRequest', 2), { body: { type: 'registerInstance', instance } })
  await nacos.until(() => nacos.open.length === 1)
  await made.close()
  t.match(await nacos.message('InstanceRequest', 3), {
    body: { type: 'deregisterInstance', instance: { ip: '10.0.0.9', port: 9 } },
  })
  await nacos.until(() => nacos.open.length === 0)
})

t.test(
  'several instances of one service are a batch with the whole list, because the second would replace the first',
  async t => {
    const nacos = await server(t)
    const made = client(t, nacos)
    for (const port of [1, 2, 3]) await made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port })
    await made.naming.deregister({ service: 'own' }, { ip: '10.0.0.9', port: 2 })
    const batches = nacos.received.filter(({ type }) => type === 'BatchInstanceRequest')
    t.same(
      batches.map(({ body }) => body.instances.map(({ port }: { port: number }) => port)),
      [
        [1, 2],
        [1, 2, 3],
        [1, 3],
      ],
    )
    await made.naming.deregister({ service: 'own' }, { ip: '10.0.0.9', port: 1 })
    await made.naming.deregister({ service: 'own' }, { ip: '10.0.0.9', port: 3 })
    t.match(nacos.received.at(-1), { type: 'InstanceRequest', body: { type: 'deregisterInstance' } })
  },
)

t.test('a server that only adds (r-nacos) is told which instance goes', async t => {
  const nacos = await server(t, { negotiates: false })
  nacos.handlers['ServerCheckRequest'] = () =>
    ok('ServerCheckResponse', { connectionId: '1_127.0.0.1:54192', requestId: '' })
  const made = client(t, nacos)
  for (const port of [1, 2, 3]) await made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port })
  await made.naming.deregister({ service: 'own' }, { ip: '10.0.0.9', port: 2 })
  const gone = nacos.received.filter(({ body }) => body?.type === 'deregisterInstance')
  t.same(
    gone.map(({ body }) => body.instance.port),
    [2],
  )
  await made.close()
  const left = nacos.received.filter(({ body }) => body?.type === 'deregisterInstance').slice(1)
  t.same(left.map(({ body }) => body.instance.port).sort(), [1, 3])
})

t.test('a registration that the server refuses is told to the caller and given up', async t => {
  const nacos = await server(t)
  nacos.handlers['InstanceRequest'] = () => refused(400, 'persistent service')
  const made = client(t, nacos, quick)
  await t.rejects(made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port: 9 }), {
    code: 'LANEWAY_NACOS_REFUSED',
    message: /persistent/,
  })
  const before = nacos.received.length
  nacos.kill()
  await made.ready()
  await made.naming.query({ service: 'x' })
  t.same(
    nacos.received.slice(before).filter(({ body }) => body?.type === 'registerInstance'),
    [],
  )
})

t.test('a registration while no server is there waits for one', async t => {
  const nacos = await server(t)
  const { port } = nacos
  await nacos.stop()
  const made = client(t, nacos, quick)
  const done = made.naming.register({ service: 'own' }, { ip: '10.0.0.9', port: 9 })
  await nacos.start(port)
  await done
  t.equal(nacos.open.length, 1)
})

t.test('instances out of range are refused', async t => {
  const made = client(t, '127.0.0.1:1')
  const cases: [string, object][] = [
    ['no ip', { ip: '', port: 1 }],
    ['port 0', { ip: 'a', port: 0 }],
    ['port 65536', { ip: 'a', port: 65536 }],
    ['port NaN', { ip: 'a', port: Number.NaN }],
    ['weight below 0', { ip: 'a', port: 1, weight: -1 }],
    ['weight NaN', { ip: 'a', port: 1, weight: Number.NaN }],
    ['weight over 10000', { ip: 'a', port: 1, weight: 10001 }],
    ['unknown key', { ip: 'a', port: 1, ephemeral: false }],
  ]
  for (const [name, instance] of cases) {
    await t.rejects(made.naming.register({ service: 'a' }, instance as never), { code: 'LANEWAY_INVALID_OPTION' }, name)
  }
})
