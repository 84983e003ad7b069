import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import t from 'tap'
import { startServer } from './fixture.js'
import { Peer, register, subscribe } from './peer.js'

/** A key and a self-signed certificate for this machine, made by openssl. */
function makePair(folder: string): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

t.test('both ports speak TLS, and gRPC can require client certificates', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { key, cert } = makePair(folder)
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
