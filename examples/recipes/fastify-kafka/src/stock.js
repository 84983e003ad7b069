// A service with a gray version.
import fastify from 'fastify'

const app = fastify()
app.get('/', async request => `stock ${process.env.VERSION}, tag ${request.headers['x-mse-tag'] ?? 'none'}`)
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${app.server.address().port}`)
