// Service B, Fastify. It calls C with the fetch that Node brings along, and answers /sql from MySQL.
import fastifyLane from '@laneway/fastify'
import { createLaneFetch } from '@laneway/undici'
import fastify from 'fastify'
import { resolver } from './discovery.js'
import { instance, serve } from './instance.js'
import { consume, orderOfB } from './queue.js'

const laneFetch = createLaneFetch({ resolver })
const greet = process.env.C_BY === 'grpc' ? await overGrpc() : undefined

/** With --grpc: C is called over gRPC. */
async function overGrpc() {
  const { laneChannel } = await import('@laneway/grpc')
  const { createGreeter } = await import('./greeter.js')
  return createGreeter(laneChannel({ resolver }))
}

const app = fastify({ forceCloseConnections: 'idle' })
await app.register(fastifyLane)
app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

app.route({
  method: ['GET', 'POST'],
  url: '/b',
  handler: async (request, reply) => {
    if (greet !== undefined) {
      const said = await greet(String(request.headers['x-request-id'] ?? ''))
      return reply.type('text/plain').send(`${instance('B', request.raw)} -> ${said}`)
    }
    const response = await laneFetch('http://sc-c/c', {
      method: request.method,
      headers: { 'x-request-id': String(request.headers['x-request-id'] ?? '') },
      body: request.method === 'POST' ? request.body : undefined,
    })
    const path = `${instance('B', request.raw)} -> ${await response.text()}`
    return reply.code(response.status).type('text/plain').send(path)
  },
})

if (process.env.MYSQL_URL) {
  const { users, closeMysql } = await import('./mysql.js')
  app.get('/sql', async (request, reply) =>
    reply.type('text/plain').send(`${instance('B', request.raw)} -> ${await users()}`),
  )
  app.addHook('onClose', closeMysql)
}

await app.ready()
await serve(
  app.server,
  'sc-B',
  () => app.close(),
  port => consume('orders', port, orderOfB),
)
