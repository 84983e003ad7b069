import { request } from 'node:https'
import { credentials } from '@grpc/grpc-js'
import { localhost } from '@laneway/testkit/key-pairs'
import t from 'tap'
import { startServer } from './fixture.js'
import { Peer, register, subscribe } from './peer.js'

t.test('both ports speak TLS, and gRPC can require client certificates', async t => {
  const { key, cert } = localhost
  for (const clientCa of [undefined, cert]) {
    const server = await startServer(t, { tls: { key, cert, ...(clientCa !== undefined && { clientCa }) } })
    const channel = clientCa === undefined ? credentials.createSsl(cert) : credentials.createSsl(cert, key, cert)
    const peer = new Peer(`localhost:${server.grpcPort}`, channel)
    t.teardown(() => peer.close())
    await peer.handshake()
    await peer.ask(...subscribe('sc-b'))
    await peer.ask(...register('sc-b', 8001))
    await peer.ports('sc-b', 8001)
    const undo = server.faults.halfOpen()
    const silent = peer.ask('HealthCheckRequest')
    await new Promise<void>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: server.port,
        path: '/nacos/actuator/health',
        ca: cert,
        agent: false as const,
      }
      request(options, response => {
        t.equal(response.statusCode, 200)
        response.resume().on('end', resolve)
      })
        .on('error', reject)
        .end()
    })
    undo()
    t.equal((await silent).type, 'HealthCheckResponse')
  }
  const strict = await startServer(t, { tls: { key, cert, clientCa: cert } })
  const stranger = new Peer(`localhost:${strict.grpcPort}`, credentials.createSsl(cert))
  t.teardown(() => stranger.close())
  await t.rejects(stranger.ask('ServerCheckRequest'), { code: 14 })
})
