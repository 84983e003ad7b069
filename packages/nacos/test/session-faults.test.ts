import t from 'tap'
import { client, server } from './harness.js'
import { ok } from './raw-server.js'

const quick = { requestTimeoutMs: 400, healthIntervalMs: 50, maxReconnectDelayMs: 50, redoIntervalMs: 50 }

t.test('every push is answered on the stream with its own id, success for what is known', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  await made.ready()
  const [connection] = nacos.open
  const known = [
    'NotifySubscriberRequest',
    'ConfigChangeNotifyRequest',
    'ClientDetectionRequest',
    'ClientConfigMetricRequest',
  ]
  for (const [index, type] of known.entries()) {
    connection!.push(type, { headers: {}, requestId: `id-${index}`, module: 'naming' })
    const answer = await nacos.message(type.replace('Request', 'Response'))
    t.match(answer, { via: 'stream', body: { requestId: `id-${index}`, resultCode: 200 } }, type)
  }
  t.match((await nacos.message('ClientConfigMetricResponse')).body, { metrics: {} })
  connection!.push('NoSuchRequest', { requestId: 'id-9' })
  t.match((await nacos.message('ErrorResponse')).body, { requestId: 'id-9', resultCode: 500, errorCode: 302 })
  t.equal(nacos.connections.length, 1)
})

t.test('a push is answered with success even when its content is nonsense', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  await made.ready()
  const [connection] = nacos.open
  const contents = [
    undefined,
    null,
    7,
    { name: 5 },
    { name: 'a', hosts: 'x' },
    { name: 'a', hosts: [null, {}, { ip: 1 }] },
  ]
  for (const [index, serviceInfo] of contents.entries())
    connection!.push('NotifySubscriberRequest', { requestId: `${index}`, serviceInfo })
  await nacos.message('NotifySubscriberResponse', contents.length)
  for (const { body } of nacos.received.filter(one => one.type === 'NotifySubscriberResponse'))
    t.equal(body.resultCode, 200)
})

t.test('a listener that throws is told to warn, and costs neither the session nor the other listeners', async t => {
  const nacos = await server(t)
  const warnings: string[] = []
  const made = client(t, nacos, { ...quick, warn: text => warnings.push(text) })
  const heard: number[] = []
  const thrower = (): never => {
    throw new Error('oops')
  }
  made.naming.subscribe({ service: 'a' }, { info: thrower, lost: thrower })
  made.naming.subscribe({ service: 'a' }, { info: info => heard.push(info.instances.length), lost: () => {} })
  made.config.listen('c', {}, { value: thrower, lost: thrower })
  await nacos.until(() => heard.length === 1 && nacos.received.some(({ type }) => type === 'ConfigQueryRequest'))
  const info = { name: 'a', hosts: [{ ip: '10.0.0.1', port: 1 }], lastRefTime: 9e12 }
  nacos.open[0]!.push('NotifySubscriberRequest', { requestId: '1', serviceInfo: info })
  await nacos.until(() => heard.length === 2)
  t.match(await nacos.message('NotifySubscriberResponse'), { body: { resultCode: 200 } })
  await made.naming.query({ service: 'b' })
  t.equal(nacos.connections.length, 1)
  t.equal(nacos.received.filter(({ type }) => type === 'SubscribeServiceRequest').length, 1, 'not tried again')
  t.ok(warnings.every(text => /a listener threw: Error: oops/.test(text)))
  t.ok(warnings.length >= 3)
})

t.test('the bi-stream that ends while TCP stays is the end of the session: registered there, but deaf', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  const seen: number[] = []
  made.naming.subscribe({ service: 'a' }, { info: (_info, session) => seen.push(session), lost: () => {} })
  await nacos.message('SubscribeServiceRequest')
  const [first] = nacos.open
  first!.stream!.end()
  await nacos.message('SubscribeServiceRequest', 2)
  t.equal(first!.closed, true, 'the deaf connection was closed')
  t.equal(nacos.open.length, 1)
  await nacos.until(() => seen.includes(2))
})

t.test('GOAWAY of a stopping server ends the session at once', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  nacos.open[0]!.session.goaway(0)
  await nacos.message('ConnectionSetupRequest', 2)
  await nacos.until(() => nacos.open.length === 1)
})

t.test('a message that is no protobuf, or over the limit, ends the session and not the process', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  nacos.open[0]!.stream!.write(Buffer.from([0, 0, 0, 0, 2, 0x12, 0x7f]))
  await nacos.message('ConnectionSetupRequest', 2)
  await nacos.until(() => nacos.open.length === 1)
  nacos.open[0]!.stream!.write(Buffer.from([0, 0x7f, 0, 0, 0]))
  await nacos.message('ConnectionSetupRequest', 3)
})

t.test('an idle connection is kept by unary calls, because servers drop what only answers their detection', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  await nacos.message('HealthCheckRequest', 3)
  t.equal(nacos.connections.length, 1)
  t.ok(nacos.received.every(one => one.type !== 'HealthCheckRequest' || one.via === 'unary'))
})

t.test('a half-open connection is left after two health checks without an answer', async t => {
  const nacos = await server(t)
  const good = await server(t)
  const made = client(t, [nacos.address, good.address], { ...quick, random: () => 0 })
  await made.ready()
  t.equal(made.server, nacos.address)
  nacos.handlers['HealthCheckRequest'] = () => undefined
  nacos.handlers['ServerCheckRequest'] = () => undefined
  await good.message('ConnectionSetupRequest')
  t.equal(nacos.received.filter(one => one.type === 'HealthCheckRequest').length, 2)
  await nacos.until(() => nacos.open.length === 0)
})

t.test('one lost health check is forgiven', async t => {
  const nacos = await server(t)
  let checks = 0
  nacos.handlers['HealthCheckRequest'] = () => (++checks === 1 ? undefined : ok('HealthCheckResponse'))
  const made = client(t, nacos, quick)
  await made.ready()
  await nacos.message('HealthCheckRequest', 4)
  t.equal(nacos.connections.length, 1)
})

t.test('301 to a health check: the server forgot us though TCP lives', async t => {
  const nacos = await server(t)
  const made = client(t, nacos, quick)
  await made.ready()
  nacos.handlers['HealthCheckRequest'] = ({ connection }) =>
    connection === nacos.connections[0]
      ? { type: 'ErrorResponse', body: { resultCode: 500, errorCode: 301, message: 'Connection is unregistered.' } }
      : ok('HealthCheckResponse')
  await nacos.message('ConnectionSetupRequest', 2)
  await nacos.until(() => nacos.open.length === 1)
})

t.test('ConnectReset to a listed server goes there, the old connection ends after the new one stands', async t => {
  const [a, b, c] = [await server(t), await server(t), await server(t)]
  const made = client(t, [a.address, b.address, c.address], { ...quick, random: () => 0 })
  await made.naming.register({ service: 'a' }, { ip: '127.0.0.1', port: 1 })
  t.equal(made.server, a.address)
  const openBefore: number[] = []
  c.handlers['InstanceRequest'] = () => {
    openBefore.push(a.open.length)
    return ok('InstanceResponse')
  }
  // The port is a string on the wire.
  a.open[0]!.push('ConnectResetRequest', { requestId: '1', serverIp: '127.0.0.1', serverPort: String(c.port) })
  await c.message('InstanceRequest')
  await a.until(() => a.open.length === 0)
  t.equal(openBefore[0], 1, 'the old connection was there while the instance moved')
  t.match(await a.message('ConnectResetResponse'), { body: { requestId: '1', resultCode: 200 } })
  t.equal(made.server, c.address)
  t.equal(b.connections.length, 0)
})

t.test('ConnectReset to an unlisted server goes to another one of the list, never there', async t => {
  const [a, b, unlisted] = [await server(t), await server(t), await server(t)]
  const made = client(t, [a.address, b.address], { ...quick, random: () => 0 })
  await made.ready()
  a.open[0]!.push('ConnectResetRequest', { requestId: '1', serverIp: '127.0.0.1', serverPort: String(unlisted.port) })
  await b.message('ConnectionSetupRequest')
  await a.until(() => a.open.length === 0)
  t.equal(made.server, b.address)
  t.equal(unlisted.connections.length, 0)
})

t.test('ConnectReset when no other server can be had: the client stays', async t => {
  const [a, gone] = [await server(t), await server(t)]
  await gone.stop()
  const warnings: string[] = []
  const made = client(t, [a.address, gone.address], { ...quick, random: () => 0, warn: text => warnings.push(text) })
  await made.ready()
  a.open[0]!.push('ConnectResetRequest', { requestId: '1', serverIp: '127.0.0.1', serverPort: String(gone.port) })
  await a.message('HealthCheckRequest', 3)
  t.equal(a.connections.length, 1)
  t.match(warnings, [/staying/])
})

t.test('two servers that accept and drop in turn are visited with growing pauses, not in a loop', async t => {
  const [a, b] = [await server(t), await server(t)]
  for (const one of [a, b])
    one.handlers['SubscribeServiceRequest'] = ({ connection }) => void connection.session.destroy()
  const made = client(t, [a.address, b.address], { ...quick, maxReconnectDelayMs: 5_000, random: () => 1 })
  const started = Date.now()
  made.naming.subscribe({ service: 'a' }, { info: () => {}, lost: () => {} })
  await a.until(() => a.connections.length + b.connections.length >= 3)
  await b.until(() => a.connections.length + b.connections.length >= 5)
  const tookMs = Date.now() - started
  // Passes over the list of two are 100 and 200 ms apart; without pauses five visits take a few milliseconds.
  t.ok(tookMs >= 250, `took ${tookMs} ms`)
})

t.test('a request over the limit of Nacos is refused here, and the connection lives', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  await made.ready()
  await t.rejects(made.config.publish('big', 'x'.repeat(11 * 1024 * 1024)), {
    code: 'LANEWAY_NACOS_REFUSED',
    message: /10485760/,
  })
  await made.config.publish('fits', 'x'.repeat(9 * 1024 * 1024))
  t.equal(nacos.connections.length, 1, '9 MiB at once stay under the raised session memory')
})
