// The gateway that is attacked, in a process of its own: what escapes ends it, as it would end a real one.
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { createGateway } from '@laneway/gateway'
import { cert, key } from '@laneway/testkit/certificate'
import { CLIENT_LIMITS } from './client-limits.js'

const [, , upstream = '0'] = process.argv
const host = '127.0.0.1'
const resolver = createLaneResolver({
  sources: [createStaticSource({ 'sc-a': [{ host, port: Number(upstream) }] })],
  env: {},
})
const gateway = await createGateway({
  resolver,
  routes: [{ service: 'sc-a' }],
  rules: {
    version: 1,
    rules: [{ name: 'r', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
  },
  listeners: [{ host }, { host, protocol: 'https', tls: { cert, key } }, { host, protocol: 'h2c' }],
  // Shorter than what the fuzz waits for: what is open after that is a leak.
  upstream: { keepAliveMs: 500 },
  client: CLIENT_LIMITS,
  drain: { timeoutMs: 0 },
})
await gateway.listen()
process.on('message', () => {
  const memory = process.memoryUsage.rss()
  process.send?.({ metrics: gateway.metrics(), memory })
})
// The parent has gone.
process.on('disconnect', () => process.exit(0))
process.send?.({ ports: [0, 1, 2].map(index => gateway.address(index).port) })
