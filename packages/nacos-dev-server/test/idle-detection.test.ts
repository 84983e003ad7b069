import { connect } from 'node:http2'
import t from 'tap'
import { encodePayload } from '../src/transport/payload.js'
import { setUpPeer, startServer } from './fixture.js'
import { register, subscribe } from './peer.js'

/** Long enough to answer on a machine that is busy with other tests. */
const patient = { idleMs: 30, everyMs: 5, answerMs: 60_000 }
/** Long enough to set a connection up before it counts as silent. */
const strict = { idleMs: 400, everyMs: 5, answerMs: 20 }

t.test('a silent client is asked, and lives on when it answers', async t => {
  const server = await startServer(t, { detection: patient })
  const peer = await setUpPeer(t, server)
  for (let round = 0; round < 3; round++) {
    const question = await peer.next('ClientDetectionRequest')
    t.match(question, { headers: {}, requestId: /\d+/, module: 'internal' })
  }
  t.match(server.sessions(), [{ registered: true, streaming: true }])
})

t.test('a silent client that does not answer loses its stream and its instances', async t => {
  const server = await startServer(t, { detection: strict })
  const silent = await setUpPeer(t, server)
  await silent.ask(...register('sc-b', 8001))
  t.equal(server.instances().length, 1)
  silent.answerPush = undefined
  t.equal(await silent.streamEnded, 0)
  await server.until(({ instances }) => instances().length === 0)
  t.notOk(server.sessions().some(({ registered }) => registered))
})

t.test('the connection of a silent client gets a GOAWAY with code 0', async t => {
  const server = await startServer(t, { detection: strict })
  const session = connect(`http://${server.grpcAddress}`)
  t.teardown(() => session.destroy())
  const goAway = new Promise(resolve => session.once('goaway', resolve))
  const stream = session.request({
    ':method': 'POST',
    ':path': '/BiRequestStream/requestBiStream',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const trailers = new Promise<any>(resolve => stream.once('trailers', resolve))
  stream.resume()
  const setup = encodePayload({
    type: 'ConnectionSetupRequest',
    headers: new Map(),
    clientIp: '127.0.0.1',
    body: Buffer.from('{}'),
  })
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(setup.length, 1)
  stream.write(Buffer.concat([prefix, setup]))
  t.equal((await trailers)['grpc-status'], '0')
  t.equal(await goAway, 0)
})

t.test('requests keep a client from being asked', async t => {
  const server = await startServer(t, { detection: { idleMs: 500, everyMs: 5, answerMs: 60_000 } })
  const busy = await setUpPeer(t, server)
  const silent = await setUpPeer(t, server)
  let isDone = false
  const asked = silent.next('ClientDetectionRequest').then(() => {
    isDone = true
  })
  while (!isDone) await busy.ask('HealthCheckRequest')
  await asked
  t.same(busy.pushed, [])
})

t.test('2.2.3 probes no client', async t => {
  const server = await startServer(t, { dialect: '2.2.3', detection: { idleMs: 0, everyMs: 1, answerMs: 1 } })
  const peer = await setUpPeer(t, server)
  await peer.ask(...subscribe('sc-b'))
  await peer.ports('sc-b')
  t.same(peer.pushed, [])
  t.match(server.sessions(), [{ registered: true }])
})
