import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { Peer, register, subscribe } from './peer.js'

t.test('requests before the setup are answered with 301, and the server check is served', async t => {
  const server = await startServer(t)
  const peer = new Peer(server.grpcAddress)
  t.teardown(() => peer.close())
  const early = await peer.ask('HealthCheckRequest')
  t.strictSame(early, {
    type: 'ErrorResponse',
    body: { resultCode: 500, errorCode: 301, message: 'Connection is unregistered.', success: false },
  })
  const check = await peer.ask('ServerCheckRequest')
  t.match(check.body, { resultCode: 200, connectionId: /^\d{13}_127\.0\.0\.1_\d+$/, supportAbilityNegotiation: true })
  t.equal(server.sessions()[0]?.connectionId, check.body.connectionId)
  t.equal(server.sessions()[0]?.registered, false)
})

t.test('the setup is acknowledged with the abilities of the release and without a requestId', async t => {
  const abilities = {
    '3.1.0': { supportPersistentInstanceByGrpc: true, agent: true, fuzzyWatch: true, lock: true, mcp: true },
    '2.5.0': { supportPersistentInstanceByGrpc: true },
  } as const
  for (const dialect of ['3.1.0', '2.5.0'] as const) {
    const server = await startServer(t, { dialect })
    const peer = new Peer(server.grpcAddress)
    t.teardown(() => peer.close())
    peer.openStream()
    peer.send('ConnectionSetupRequest', { abilityTable: {}, labels: { source: 'sdk' } })
    const ack = await peer.next('SetupAckRequest')
    t.strictSame(ack, { headers: {}, abilityTable: abilities[dialect], module: 'internal' })
  }
})

t.test('2.2.3 announces no negotiation and acknowledges no setup', async t => {
  const server = await startServer(t, { dialect: '2.2.3' })
  const peer = new Peer(server.grpcAddress)
  t.teardown(() => peer.close())
  const check = await peer.handshake()
  t.notOk('supportAbilityNegotiation' in check.body)
  await peer.ask(...subscribe('sc-b'))
  await peer.ports('sc-b')
  t.notOk(peer.pushed.some(({ type }) => type === 'SetupAckRequest'))
})

t.test('a setup without an ability table is registered and not acknowledged', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server, { abilities: false })
  await peer.ask(...subscribe('sc-b'))
  await peer.ports('sc-b')
  t.same(peer.pushed, [])
  t.match(server.sessions(), [
    {
      registered: true,
      streaming: true,
      clientVersion: 'Nacos-Test-Peer:v1',
      labels: { source: 'sdk', module: 'naming' },
    },
  ])
})

t.test(
  'a stream that ends leaves the connection registered and without pushes, and a second stream does not help',
  async t => {
    const server = await startServer(t)
    const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
    await watcher.ask(...subscribe('sc-b'))
    await watcher.ports('sc-b')
    watcher.endStream()
    t.equal(await watcher.streamEnded, 0)
    await server.until(({ sessions }) => sessions().some(({ streaming }) => !streaming))
    t.match(await watcher.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })

    watcher.openStream()
    watcher.send('ConnectionSetupRequest', { abilityTable: {}, labels: {} })
    await watcher.next('SetupAckRequest')
    await provider.ask(...register('sc-b', 8001))
    const other = await setUpPeer(t, server)
    await other.ask(...subscribe('sc-b'))
    await other.ports('sc-b', 8001)
    t.same(watcher.pushed, [], 'the push went nowhere')
    t.match((await watcher.ask(...subscribe('sc-b'))).body.serviceInfo.hosts, [{ port: 8001 }])
  },
)

t.test('a unary request on the stream gets no answer', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  peer.send('HealthCheckRequest', { requestId: 'x' })
  await peer.ask(...subscribe('sc-b'))
  await peer.ports('sc-b')
  t.same(peer.pushed, [])
})

t.test('a message over 10 MiB is refused with status 8, and the connection lives on', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  const publish = { dataId: 'big', group: 'g', tenant: '', content: 'x'.repeat(11 * 1024 * 1024) }
  await t.rejects(peer.ask('ConfigPublishRequest', publish), { code: 8 })
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
})
