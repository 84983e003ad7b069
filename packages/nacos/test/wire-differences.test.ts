import t from 'tap'
import { client, server } from './harness.js'
import { host, ok, refused, serviceInfo } from './raw-server.js'

// One test for each thing that Nacos 2.2, 2.3 to 2.5, 3.1 and r-nacos do differently, or all do unexpectedly, and that a
// client meets. Those that need more than an answer have tests of their own: handshake, session-faults, naming, source,
// config, login.

const quick = {
  requestTimeoutMs: 400,
  healthIntervalMs: 50,
  maxReconnectDelayMs: 50,
  redoIntervalMs: 50,
  operationTimeoutMs: 1_000,
}

t.test('answers carry no requestId, an empty one, or that of another request', async t => {
  const nacos = await server(t)
  const ids = [{}, { requestId: '' }, { requestId: null }, { requestId: '99' }]
  let asked = 0
  nacos.handlers['ServiceQueryRequest'] = ({ body }) =>
    ok('QueryServiceResponse', { ...ids[asked++], serviceInfo: serviceInfo(body.serviceName, []) })
  const made = client(t, nacos)
  const names = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async service => (await made.naming.query({ service })).name),
  )
  t.same(names, ['a', 'b', 'c', 'd'])
})

t.test('answers say success, or do not: resultCode decides', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  const info = serviceInfo('a', [])
  nacos.handlers['ServiceQueryRequest'] = () => ok('QueryServiceResponse', { success: true, serviceInfo: info })
  await made.naming.query({ service: 'a' })
  nacos.handlers['ServiceQueryRequest'] = () => ok('QueryServiceResponse', { message: null, serviceInfo: info })
  await made.naming.query({ service: 'a' })
  nacos.handlers['ServiceQueryRequest'] = () => refused(400, 'Param check invalid', 'QueryServiceResponse')
  await t.rejects(made.naming.query({ service: 'a' }), {
    code: 'LANEWAY_NACOS_REFUSED',
    message: /400 Param check invalid/,
  })
})

t.test('a push names its service at the top, or in serviceInfo only, with or without group', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  const ports: (number | undefined)[] = []
  made.naming.subscribe({ service: 'a' }, { info: info => ports.push(info.instances[0]?.port), lost: () => {} })
  await nacos.until(() => ports.length === 1)
  const top = { namespace: 'public', serviceName: 'a', groupName: 'DEFAULT_GROUP' }
  const bodies = [
    { serviceInfo: serviceInfo('a', [host('10.0.0.1', 1)]) },
    { ...top, serviceInfo: serviceInfo('a', [host('10.0.0.1', 2)]) },
    { serviceInfo: { ...serviceInfo('DEFAULT_GROUP@@a', [host('10.0.0.1', 3)]), groupName: '' } },
    { serviceInfo: serviceInfo('a', [host('10.0.0.1', 9)], { groupName: 'OTHER' }) },
    { ...top, namespace: 'team', serviceInfo: serviceInfo('a', [host('10.0.0.1', 9)]) },
  ]
  for (const [index, body] of bodies.entries())
    nacos.open[0]!.push('NotifySubscriberRequest', { requestId: `${index}`, ...body })
  await nacos.message('NotifySubscriberResponse', bodies.length)
  t.same(ports, [undefined, 1, 2, 3])
})

t.test('unhealthy and disabled instances: listed or left out, both are taken as said', async t => {
  const nacos = await server(t, {
    hosts: [host('10.0.0.1', 1, {}, { healthy: false }), host('10.0.0.2', 2, {}, { enabled: false })],
  })
  const { instances } = await client(t, nacos).naming.query({ service: 'a' })
  t.same(
    instances.map(({ healthy, enabled }) => [healthy, enabled]),
    [
      [false, true],
      [true, false],
    ],
  )
})

t.test('an instance is always sent with all its fields, because r-nacos refuses one without weight', async t => {
  const nacos = await server(t)
  await client(t, nacos).naming.register({ service: 'a' }, { ip: '10.0.0.1', port: 1 })
  const { instance } = (await nacos.message('InstanceRequest')).body
  t.same(Object.keys(instance).sort(), [
    'clusterName',
    'enabled',
    'ephemeral',
    'healthy',
    'instanceId',
    'ip',
    'metadata',
    'port',
    'serviceName',
    'weight',
  ])
})

t.test('a config notification names the default tenant not at all, as null, "" or public', async t => {
  const nacos = await server(t)
  let reads = 0
  nacos.handlers['ConfigQueryRequest'] = () => {
    const content = String(++reads)
    return ok('ConfigQueryResponse', { content, md5: content })
  }
  const heard: (string | undefined)[] = []
  client(t, nacos).config.listen('rules', {}, { value: value => heard.push(value?.content), lost: () => {} })
  await nacos.until(() => heard.length === 1)
  for (const [index, tenant] of [{}, { tenant: null }, { tenant: '' }, { tenant: 'public' }].entries()) {
    nacos.open[0]!.push('ConfigChangeNotifyRequest', {
      requestId: 'c',
      dataId: 'rules',
      group: 'DEFAULT_GROUP',
      ...tenant,
    })
    await nacos.until(() => heard.length === index + 2)
  }
  nacos.open[0]!.push('ConfigChangeNotifyRequest', {
    requestId: 'c',
    dataId: 'rules',
    group: 'DEFAULT_GROUP',
    tenant: 'team',
  })
  await nacos.message('ConfigChangeNotifyResponse', 5)
  t.equal(heard.length, 5)
})

t.test('a missing right is a typed answer or an ErrorResponse, both with 403', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  for (const type of ['QueryServiceResponse', 'ErrorResponse']) {
    nacos.handlers['ServiceQueryRequest'] = () => refused(403, 'user not found!', type)
    await t.rejects(made.naming.query({ service: 'a' }), { code: 'LANEWAY_AUTH', message: /user not found/ }, type)
  }
})

t.test('an unknown request (302) and a broken one (502) are refusals, and the connection stays', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  for (const code of [302, 502, 500]) {
    nacos.handlers['ServiceQueryRequest'] = () => refused(code)
    await t.rejects(made.naming.query({ service: 'a' }), { code: 'LANEWAY_NACOS_REFUSED' }, `${code}`)
  }
  t.equal(nacos.connections.length, 1)
})

t.test('a request that is never answered, or whose stream just ends, costs its own time and no more', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  nacos.handlers['ServiceQueryRequest'] = () => undefined
  await t.rejects(made.naming.query({ service: 'a' }), {
    code: 'LANEWAY_NACOS_UNAVAILABLE',
    message: /no answer within 400 ms/,
  })
  t.equal(nacos.connections.length, 1, 'the health check was answered, so the connection stayed')
  await made.naming.list()
})

t.test('a starting server (300) in the middle of a session is waited for', async t => {
  const nacos = await server(t)
  let times = 0
  nacos.handlers['ServiceQueryRequest'] = ({ body }) =>
    ++times < 3
      ? refused(300, 'Server is starting')
      : ok('QueryServiceResponse', { serviceInfo: serviceInfo(body.serviceName, []) })
  t.match(await client(t, nacos, { ...quick, operationTimeoutMs: 2_000 }).naming.query({ service: 'a' }), { name: 'a' })
})

t.test('301 in the middle of a session: a new connection, and the request is made there', async t => {
  const nacos = await server(t)
  nacos.handlers['ServiceQueryRequest'] = ({ connection, body }) =>
    connection === nacos.connections[0]
      ? refused(301)
      : ok('QueryServiceResponse', { serviceInfo: serviceInfo(body.serviceName, []) })
  const made = client(t, nacos, { ...quick, operationTimeoutMs: 5_000 })
  await made.ready()
  t.match(await made.naming.query({ service: 'a' }), { name: 'a' })
  t.equal(nacos.connections.length, 2)
})

t.test('no HTTP/2 PING is ever sent: the third within a minute earns GOAWAY too_many_pings', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  let pings = 0
  nacos.open[0]!.session.on('ping', () => pings++)
  await nacos.message('HealthCheckRequest', 5)
  t.equal(pings, 0)
})

t.test('a connection never gets a second bi-stream, which would be answered and stay silent', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  for (let i = 0; i < 3; i++) {
    nacos.open[0]!.stream!.end()
    await nacos.message('ConnectionSetupRequest', i + 2)
    await nacos.until(() => nacos.open.length === 1)
  }
  for (const connection of nacos.connections) t.equal(connection.of('ConnectionSetupRequest').length, 1)
})

t.test('a detection is answered at once, on the stream', async t => {
  const nacos = await server(t)
  await client(t, nacos).ready()
  nacos.open[0]!.push('ClientDetectionRequest', { requestId: '7', headers: {}, module: 'internal' })
  t.match(await nacos.message('ClientDetectionResponse'), { via: 'stream', body: { requestId: '7', resultCode: 200 } })
})
