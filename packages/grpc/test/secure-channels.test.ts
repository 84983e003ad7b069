import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { cert, key } from '@laneway/testkit/certificate'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

const root = Buffer.from(cert)
const pair = [{ private_key: Buffer.from(key), cert_chain: root }]
const options = { interceptors: [laneInterceptor()] }

t.test('TLS asks for the logical name, whatever address the endpoint has', async t => {
  const credentials = grpc.ServerCredentials.createSsl(null, pair)
  const base = await serve(t, echo('base'), options, credentials)
  const gray = await serve(t, echo('gray'), options, credentials)
  const endpoints = [{ port: base.port }, { port: gray.port, tags: ['gray'] }]
  const { resolver } = await resolverOf(t, 'sc-b', endpoints)
  const trusting = grpc.credentials.createSsl(root)
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }), trusting)
  t.equal(await runInLane('gray', () => c.unary()), 'gray@gray ["gray"]')
  t.equal(await c.unary(), '-@base []')
  const named = await resolverOf(t, 'sc-c', endpoints)
  const wrong = client(t, `sc-c:${base.port}`, laneChannel({ resolver: named.resolver }), trusting)
  await t.rejects(wrong.unary(), { code: grpc.status.UNAVAILABLE, details: /sc-c/ }, 'the certificate is for sc-b')
  const override = { ...laneChannel({ resolver: named.resolver }), 'grpc.ssl_target_name_override': 'sc-b' }
  const own = client(t, `sc-c:${base.port}`, override, trusting)
  t.equal(await own.unary(), '-@base []', 'the name that the application gives stands')
})

t.test('mutual TLS works, and a client without a certificate gets no further', async t => {
  const credentials = grpc.ServerCredentials.createSsl(root, pair, true)
  const base = await serve(t, echo('base'), options, credentials)
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }])
  const with_ = grpc.credentials.createSsl(root, Buffer.from(key), root)
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }), with_)
  t.equal(await runInLane('gray', () => c.unary()), 'gray@base ["gray"]')
  const without = client(t, `sc-b:${base.port}`, laneChannel({ resolver }), grpc.credentials.createSsl(root))
  await t.rejects(without.unary(undefined, { deadline: Date.now() + 3000 }))
})

t.test('the server sees the logical name as the host', async t => {
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    const trailers = { 'grpc-status': '9', 'grpc-message': headers[':authority'] }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { resolver } = await resolverOf(t, 'sc-b', [{ port }])
  const hostOf = async (options: object) => {
    const c = client(t, `sc-b:${port}`, options)
    const error = await c.unary().catch(error => error as grpc.ServiceError)
    return (error as grpc.ServiceError).details
  }
  t.equal(await hostOf(laneChannel({ resolver })), `sc-b:${port}`)
  t.equal(await hostOf({ ...laneChannel({ resolver }), 'grpc.default_authority': 'shop.example' }), 'shop.example')
})

t.test('credentials of a call go with it', async t => {
  const base = await serve(
    t,
    {
      ...echo('base'),
      unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) =>
        callback(null, String(call.metadata.get('authorization'))),
    },
    options,
    grpc.ServerCredentials.createSsl(null, pair),
  )
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }), grpc.credentials.createSsl(root))
  const metadata = new grpc.Metadata()
  metadata.set('authorization', 'token 7')
  const credentials = grpc.credentials.createFromMetadataGenerator((_, callback) => callback(null, metadata))
  t.equal(await c.unary(undefined, { credentials }), 'token 7', 'while it connects')
  t.equal(await c.unary(undefined, { credentials }), 'token 7')
})
