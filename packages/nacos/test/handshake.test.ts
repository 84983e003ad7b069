import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { createNacosClient, type NacosClientOptions } from '../src/index.js'
import { client, server } from './harness.js'
import { ok, RawServer, refused } from './raw-server.js'

t.test('a server that negotiates is ready after its SetupAckRequest, which wants no answer', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, { appName: 'orders' })
  t.equal(made.server, undefined)
  await made.ready()
  t.equal(made.server, nacos.address)
  const [check, setup] = nacos.received
  t.match(check, { type: 'ServerCheckRequest', via: 'unary', body: { headers: {}, requestId: '1' } })
  t.match(setup, {
    type: 'ConnectionSetupRequest',
    via: 'stream',
    clientIp: '127.0.0.1',
    body: { tenant: '', labels: { source: 'sdk', module: 'naming', AppName: 'orders' }, abilityTable: {} },
  })
  await made.naming.query({ service: 'a' })
  t.same(
    nacos.received.map(one => one.type),
    ['ServerCheckRequest', 'ConnectionSetupRequest', 'ServiceQueryRequest'],
  )
  t.equal(nacos.connections.length, 1, 'unary calls and the stream share one connection')
})

t.test('a server that does not negotiate (2.2, r-nacos) is ready without an acknowledgement', async t => {
  const nacos = await server(t, { negotiates: false })
  const made = client(t, nacos)
  await made.ready()
  t.equal(nacos.open.length, 1)
})

t.test('an early 301 is asked again on the same connection, not taken for its end', async t => {
  const nacos = await server(t, { negotiates: false })
  let refusals = 0
  nacos.handlers['ServiceQueryRequest'] = ({ body }) =>
    ++refusals <= 2 ? refused(301) : ok('QueryServiceResponse', { serviceInfo: { name: body.serviceName, hosts: [] } })
  const made = client(t, nacos)
  t.match(await made.naming.query({ service: 'a' }), { name: 'a', instances: [] })
  t.equal(refusals, 3)
  t.equal(nacos.connections.length, 1)
})

t.test('an acknowledgement that was announced and never comes means another server', async t => {
  const deaf = await server(t, { acknowledges: false })
  const good = await server(t)
  // random 0 starts at the first of the list.
  const made = client(t, [deaf.address, good.address], { random: () => 0, requestTimeoutMs: 200 })
  await made.ready()
  t.equal(made.server, good.address)
  await deaf.until(() => deaf.open.length === 0)
})

t.test('a server that is starting (300) is passed over', async t => {
  const starting = await server(t)
  starting.handlers['ServerCheckRequest'] = () => refused(300, 'Server is starting')
  const good = await server(t)
  const made = client(t, [starting.address, good.address], { random: () => 0 })
  await made.ready()
  t.equal(made.server, good.address)
})

t.test('a closed port costs a clear error, and the client goes on trying', async t => {
  const gone = await server(t)
  const { port } = gone
  await gone.stop()
  const warnings: string[] = []
  const made = client(t, gone.address, {
    operationTimeoutMs: 300,
    maxReconnectDelayMs: 50,
    warn: text => warnings.push(text),
  })
  await t.rejects(made.ready(), { code: 'LANEWAY_NACOS_UNAVAILABLE', message: /within 300 ms.*ECONNREFUSED/ })
  await t.rejects(made.naming.query({ service: 'a' }), { code: 'LANEWAY_NACOS_UNAVAILABLE' })
  t.equal(warnings.length, 1, 'one warning an outage')
  const back = new RawServer()
  await back.start(port)
  t.teardown(() => back.stop())
  await back.until(() => back.open.length === 1)
  await back.message('ConnectionSetupRequest')
})

t.test('a port that accepts and says nothing, or is no gRPC port, ends in the same error', async t => {
  const sockets = new Set<Socket>()
  const silent = createServer(socket => sockets.add(socket)).listen(0, '127.0.0.1')
  const http = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await Promise.all([once(silent, 'listening'), once(http, 'listening')])
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
    http.close()
  })
  for (const one of [silent, http]) {
    const { port } = one.address() as { port: number }
    const made = client(t, `127.0.0.1:${port}`, {
      requestTimeoutMs: 50,
      operationTimeoutMs: 250,
      maxReconnectDelayMs: 50,
    })
    await t.rejects(made.ready(), { code: 'LANEWAY_NACOS_UNAVAILABLE' })
  }
})

t.test('close while connecting leaves nothing behind and refuses what comes later', async t => {
  const nacos = await server(t)
  nacos.handlers['ServerCheckRequest'] = () => undefined
  const made = client(t, nacos)
  const waiting = made.ready()
  const refusal = t.rejects(waiting, { code: 'LANEWAY_CLOSED' })
  await nacos.message('ServerCheckRequest')
  await made.close()
  await refusal
  await t.rejects(made.ready(), { code: 'LANEWAY_CLOSED' })
  await t.rejects(made.naming.query({ service: 'a' }), { code: 'LANEWAY_CLOSED' })
  await t.rejects(made.naming.register({ service: 'a' }, { ip: '127.0.0.1', port: 1 }), { code: 'LANEWAY_CLOSED' })
  await made.close()
})

t.test('options are refused with their names', async t => {
  const cases: [string, object, RegExp][] = [
    ['no server', { servers: [] }, /servers is empty/],
    ['only commas', { servers: ' , ' }, /servers is empty/],
    ['a port out of range', { servers: 'nacos:70000' }, /not host:port/],
    ['a gRPC port out of range', { servers: 'nacos:65000' }, /not host:port/],
    ['user info', { servers: 'http://u:p@nacos:1' }, /without user and password/],
    ['unknown key', { servers: 'nacos', namspace: 'x' }, /did you mean "namespace"/],
    ['user without password', { servers: 'nacos', username: 'x' }, /given together/],
    ['NaN', { servers: 'nacos', requestTimeoutMs: Number.NaN }, /requestTimeoutMs/],
    ['text', { servers: 'nacos', requestTimeoutMs: '5000' }, /requestTimeoutMs is .*without quotes, received "5000"/],
    ['zero', { servers: 'nacos', requestTimeoutMs: 0 }, /requestTimeoutMs/],
    ['a health interval that servers punish', { servers: 'nacos', healthIntervalMs: 20_000 }, /below 20000/],
  ]
  for (const [name, options, message] of cases) {
    t.throws(() => createNacosClient(options as NacosClientOptions), { code: 'LANEWAY_INVALID_OPTION', message }, name)
  }
})
