// The in-memory Nacos server with services in it: `node nacos.js <services> <instances of the large one>`. Asked to change
// something, it registers one instance more.
import { createNacosClient } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'

const [services, instances] = process.argv.slice(2).map(Number) as [number, number]
// Both the HTTP API that old clients use and gRPC.
const server = createNacosDevServer({ port: 0, pushDelayMs: 0, dialect: '2.5.0', detection: false })
await server.start()
const client = createNacosClient({ servers: server.address, grpcPortOffset: server.grpcPort - server.port })
const instance = (i: number) => ({
  ip: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
  port: 8080,
  metadata: { version: '1.0.0', ...(i % 5 === 3 && { 'alicloud.service.tag': 'gray' }) },
})
await Promise.all(
  Array.from({ length: services }, (_, i) => client.naming.register({ service: `s-${i}` }, instance(i))),
)
await Promise.all(
  Array.from({ length: instances }, (_, i) => client.naming.register({ service: 'large' }, instance(i))),
)
for (let i = 0; i < 10; i++) await client.naming.register({ service: 'ten' }, instance(i))
let next = instances
process.on('message', async () => {
  await client.naming.register({ service: 'large' }, instance(next++))
  process.send!({ instances: next })
})
process.on('disconnect', () => process.exit())
process.send!({ port: server.port, grpcPort: server.grpcPort, instances: server.instances('large').length })
