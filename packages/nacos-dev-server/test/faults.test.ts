import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { instance, named, Peer, portsOf, register, subscribe } from './peer.js'

/** Whether a promise is still open after another one has settled. */
async function isOpenAfter(promise: Promise<unknown>, other: Promise<unknown>): Promise<boolean> {
  const open = Symbol()
  await other
  return (await Promise.race([promise, Promise.resolve(open)])) === open
}

t.test('a dropped answer never comes although the request was served, and the next one does', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  server.faults.dropAnswers({ types: ['InstanceRequest'], times: 1 })
  const dropped = peer.ask(...register('sc-b', 8001))
  dropped.catch(() => {})
  await server.until(({ instances }) => instances('sc-b').length === 1)
  t.ok(await isOpenAfter(dropped, peer.ask(...register('sc-c', 8002))))
})

t.test('a delayed answer comes after those of later requests of other types', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  const undo = server.faults.delayAnswers(400, { types: ['ServiceQueryRequest'] })
  const delayed = peer.ask('ServiceQueryRequest', named('sc-b'))
  t.ok(await isOpenAfter(delayed, peer.ask('HealthCheckRequest')))
  t.equal((await delayed).type, 'QueryServiceResponse')
  undo()
  t.equal((await peer.ask('ServiceQueryRequest', named('sc-b'))).type, 'QueryServiceResponse')
})

t.test('dropped pushes are repeated until they get through', async t => {
  const server = await startServer(t, { pushAnswerMs: 20, pushRetryMs: 5 })
  const peer = await setUpPeer(t, server)
  server.faults.dropPushes({ types: ['NotifySubscriberRequest'], times: 2 })
  await peer.ask(...subscribe('sc-b'))
  const push = await peer.next('NotifySubscriberRequest')
  t.equal(push.requestId, '3')
})

t.test('a delayed push is overtaken by an answer', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  server.faults.delayPushes(400)
  await provider.ask(...register('sc-b', 8001))
  const { body } = await watcher.ask('ServiceQueryRequest', named('sc-b'))
  t.equal(portsOf(body.serviceInfo), '8001')
  t.same(watcher.pushed, [])
  await watcher.ports('sc-b', 8001)
})

t.test('a SetupAck that is dropped leaves the client waiting', async t => {
  const server = await startServer(t)
  server.faults.dropPushes({ types: ['SetupAckRequest'] })
  const peer = new Peer(server.grpcAddress)
  t.teardown(() => peer.close())
  peer.openStream()
  peer.send('ConnectionSetupRequest', { abilityTable: {}, labels: {} })
  await server.until(({ sessions }) => sessions().some(({ registered }) => registered))
  await peer.ask(...subscribe('sc-b'))
  await peer.ports('sc-b')
  t.same(peer.pushed, [])
})

t.test('requests fail as often as asked, in the form of the error', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  const cases = [
    [300, 'ErrorResponse', 'Server is starting,please try later.'],
    [301, 'ErrorResponse', 'Connection is unregistered.'],
    [403, 'InstanceResponse', 'Code: 401, Message: token expired!.'],
    [500, 'ErrorResponse', 'a fault was switched on'],
  ] as const
  for (const [errorCode, type, message] of cases) {
    server.faults.failAnswers({ errorCode }, { types: ['InstanceRequest'], times: 2 })
    for (let time = 0; time < 2; time++) {
      t.match(await peer.ask(...register('sc-b', 8001)), { type, body: { resultCode: 500, errorCode, message } })
    }
    t.same(server.instances(), [], 'not served')
  }
  t.match(await peer.ask(...register('sc-b', 8001)), { body: { resultCode: 200 } })
})

t.test('a half-open connection takes bytes and says nothing, not even to a new connection', async t => {
  const server = await startServer(t)
  const [frozen, provider, watcher] = [
    await setUpPeer(t, server),
    await setUpPeer(t, server),
    await setUpPeer(t, server),
  ]
  await watcher.ask(...subscribe('sc-b'))
  await frozen.ask(...subscribe('sc-b'))
  await frozen.ports('sc-b')
  const [connectionId] = server.sessions().map(session => session.connectionId)
  const undo = server.faults.halfOpen({ connections: [connectionId ?? ''] })
  const silent = frozen.ask('HealthCheckRequest')
  t.ok(await isOpenAfter(silent, provider.ask(...register('sc-b', 8001))))
  await watcher.ports('sc-b', 8001)
  await provider.ask('HealthCheckRequest')
  t.equal(server.sessions().length, 3, 'the connection is still there')
  t.same(frozen.pushed, [])
  undo()
  t.equal((await silent).type, 'HealthCheckResponse', 'what was in the socket is read in the end')
})

t.test('half open for all covers new connections until it is undone', async t => {
  const server = await startServer(t)
  const old = await setUpPeer(t, server)
  const undo = server.faults.halfOpen()
  const fresh = new Peer(server.grpcAddress)
  t.teardown(() => fresh.close())
  const [early, late] = [old.ask('HealthCheckRequest'), fresh.ask('ServerCheckRequest')]
  await server.until(({ sessions }) => sessions().length === 2)
  t.ok(await isOpenAfter(Promise.race([early, late]), fetch(`http://${server.address}/nacos/actuator/health`)))
  undo()
  t.equal((await early).type, 'HealthCheckResponse')
  t.equal((await late).type, 'ServerCheckResponse')
})

t.test('a half-open connection answers no HTTP/2 PING', async t => {
  const server = await startServer(t)
  const socket: Socket = connect(server.grpcPort, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const frame = (type: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0, 0, payload.length, type, 0, 0, 0, 0, 0]), payload])
  socket.write(frame(4, Buffer.alloc(0)))
  let received = Buffer.alloc(0)
  let grown = (): void => {}
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    grown()
  })
  const holds = async (text: string): Promise<void> => {
    while (!received.includes(text))
      await new Promise<void>(resolve => {
        grown = resolve
      })
  }
  socket.write(frame(6, Buffer.from('ping-one')))
  await holds('ping-one')
  const undo = server.faults.halfOpen()
  socket.write(frame(6, Buffer.from('ping-two')))
  await fetch(`http://${server.address}/nacos/actuator/health`)
  t.notOk(received.includes('ping-two'))
  undo()
  await holds('ping-two')
})

t.test('a stale push carries an older lastRefTime and the hosts that were asked for', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await provider.ask(...register('sc-b', 8001))
  const fresh = await watcher.ports('sc-b', 8001)
  server.faults.pushStale('sc-b', { hosts: [instance(8009)], olderByMs: 5000 })
  const stale = await watcher.ports('sc-b', 8009)
  t.ok(stale.lastRefTime < fresh.lastRefTime)
  t.match(server.instances('sc-b'), [{ port: 8001 }], 'nothing changed at the server')
})

t.test('clients are asked to move, with the port as a string, and those that stay are served', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  server.faults.moveClients('10.0.0.2:8848')
  const request = await peer.next('ConnectResetRequest')
  t.match(request, { serverIp: '10.0.0.2', serverPort: '8848', connectionId: server.sessions()[0]?.connectionId ?? '' })
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
})

t.test('ended streams leave the connections registered', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  server.faults.endStreams()
  t.equal(await peer.streamEnded, 0)
  t.match(await peer.ask(...register('sc-b', 8001)), { type: 'InstanceResponse', body: { resultCode: 200 } })
  t.match(server.sessions(), [{ registered: true, streaming: false }])
})

t.test('expelled connections without a GOAWAY get 301 on the same connection', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await peer.ask(...register('sc-b', 8001))
  server.faults.expel({ goAway: false })
  t.equal(await peer.streamEnded, 0)
  t.match(await peer.ask('HealthCheckRequest'), { type: 'ErrorResponse', body: { errorCode: 301 } })
  t.same(server.instances(), [])
})

t.test('a reset ends connections and what they registered', async t => {
  const server = await startServer(t)
  const socket = connect(server.grpcPort, '127.0.0.1')
  const failed = once(socket, 'error').catch(error => [error])
  await server.until(({ sessions }) => sessions().length === 1)
  server.faults.resetConnections()
  t.match(await failed, [{ code: 'ECONNRESET' }])
  await server.until(({ sessions }) => sessions().length === 0)
})

t.test('while connections are refused open ones live on', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  server.faults.refuse(['grpc'])
  const refused = connect(server.grpcPort, '127.0.0.1')
  t.match(await once(refused, 'connect').catch(error => error), { code: 'ECONNREFUSED' })
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
  t.equal((await fetch(`http://${server.address}/nacos/actuator/health`)).status, 200)
  await server.faults.accept()
  const taken = connect(server.grpcPort, '127.0.0.1')
  await once(taken, 'connect')
  taken.destroy()
})

for (const keep of [false, true]) {
  t.test(`a restart ${keep ? 'keeps what a real server stores' : 'loses everything'}, on the same ports`, async t => {
    const server = await startServer(t)
    const peer = await setUpPeer(t, server)
    const ports = [server.port, server.grpcPort]
    await peer.ask(...register('sc-b', 8001))
    await peer.ask('PersistentInstanceRequest', {
      ...named('stays'),
      type: 'registerInstance',
      instance: instance(8002),
    })
    await peer.ask('ConfigPublishRequest', { dataId: 'd', group: 'g', tenant: '', content: 'x' })
    await server.faults.restart({ keep })
    t.same([server.port, server.grpcPort], ports)
    t.same(server.sessions(), [])
    t.same(
      server.instances().map(({ service }) => service),
      keep ? ['stays'] : [],
    )
    t.equal(server.configs().length, keep ? 1 : 0)
    const next = await setUpPeer(t, server)
    t.match(await next.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
  })
}

t.test('clear ends every lasting fault', async t => {
  const server = await startServer(t)
  const { faults } = server
  faults.dropAnswers()
  faults.dropPushes()
  faults.halfOpen()
  faults.failLogins()
  faults.refuse()
  await faults.clear()
  const peer = await setUpPeer(t, server)
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
  const login = await fetch(`http://${server.address}/nacos/v1/auth/users/login?username=a&password=b`, {
    method: 'POST',
  })
  t.equal(login.status, 200)
})
