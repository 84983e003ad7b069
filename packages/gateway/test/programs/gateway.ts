// A gateway in a process of its own, so that its memory is its own. Told the port of its upstream, tells its own, and its
// memory when asked.
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { createGateway } from '../../src/index.js'

const port = Number(process.argv[2])
const resolver = createLaneResolver({ sources: [createStaticSource({ 'sc-a': [{ host: '127.0.0.1', port }] })] })
const gateway = await createGateway({
  resolver,
  routes: [{ service: 'sc-a' }],
  listeners: [{ host: '127.0.0.1' }, { host: '127.0.0.1', protocol: 'h2c' }],
})
await gateway.listen()
process.on('message', () => process.send!({ rss: process.memoryUsage.rss() }))
process.on('disconnect', () => process.exit())
process.send!({ ports: [gateway.address(0).port, gateway.address(1).port] })
