// One chain of services for the hop cases, in a process of its own: front (Express or Fastify) -> undici -> Fastify.
// `node hop-service.js <express|fastify> <lane|plain> <otel|none>`. Tells its port, and its processor time when asked.
import type { AddressInfo, Server } from 'node:net'

const [framework, lane, telemetry] = process.argv.slice(2) as ['express' | 'fastify', 'lane' | 'plain', 'otel' | 'none']

if (telemetry === 'otel') {
  // Before anything loads node:http.
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http')
  const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici')
  const exporter = {
    export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  }
  process.env['OTEL_METRICS_EXPORTER'] = 'none'
  process.env['OTEL_LOGS_EXPORTER'] = 'none'
  new NodeSDK({
    serviceName: 'bench',
    traceExporter: exporter as never,
    instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
  }).start()
}

const { Agent, request } = await import('undici')
const { default: fastify } = await import('fastify')
const withLane = lane === 'lane'

/** Answers with what it was told, so that the client sees which lane arrived where. */
async function back(name: string): Promise<number> {
  const app = fastify()
  if (withLane) await app.register((await import('@laneway/fastify')).fastifyLane)
  app.get('/orders/:id', async request => ({ id: 7, at: name, tag: request.headers['x-mse-tag'] ?? null }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

const base = await back('base')
const gray = await back('gray')
let dispatcher = new Agent()
let origin = `http://127.0.0.1:${base}`
if (withLane) {
  const { composeLane } = await import('@laneway/undici')
  const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
  const source = createStaticSource({
    'sc-b': [
      { host: '127.0.0.1', port: base },
      { host: '127.0.0.1', port: gray, tags: ['gray'] },
    ],
  })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-b'] })
  await resolver.ready('sc-b')
  dispatcher = composeLane(dispatcher, { resolver })
  origin = 'http://sc-b'
}

async function callBack(): Promise<unknown> {
  const { body } = await request(`${origin}/orders/7`, { dispatcher, headers: { accept: 'application/json' } })
  return body.json()
}

async function listen(): Promise<Server> {
  if (framework === 'fastify') {
    const app = fastify()
    if (withLane) await app.register((await import('@laneway/fastify')).fastifyLane)
    app.get('/', callBack)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  }
  const { default: express } = await import('express')
  const app = express()
  if (withLane) app.use((await import('@laneway/express')).expressLane())
  app.get('/', async (_request, response) => {
    response.json(await callBack())
  })
  return new Promise(resolve => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}

const server = await listen()
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
process.send!({ port: (server.address() as AddressInfo).port })
