// One chain of services for the hop cases, in a process of its own: front (Express or Fastify) -> undici -> Fastify.
// `node hop-service.js <express|fastify> <lane|hand|plain> <otel|none>`. Tells its port, and its processor time when asked.
// `hand` is the least that keeps a lane: a bare AsyncLocalStorage, and an interceptor that knows its two endpoints.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Server } from 'node:net'

const [framework, lane, telemetry] = process.argv.slice(2) as [
  'express' | 'fastify',
  'lane' | 'hand' | 'plain',
  'otel' | 'none',
]

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
type Dispatcher = import('undici').Dispatcher
const { default: fastify } = await import('fastify')
const hasLane = lane === 'lane'
const byHand = lane === 'hand'
const storage = new AsyncLocalStorage<string | undefined>()

function tagOf({ headers }: IncomingMessage): string | undefined {
  return headers['x-mse-tag'] as string | undefined
}

/** Answers with what it was told, so that the client sees which lane arrived where. */
async function back(name: string): Promise<number> {
  const app = fastify()
  if (hasLane) await app.register((await import('@laneway/fastify')).fastifyLane)
  if (byHand) app.addHook('onRequest', (request, _reply, next) => storage.run(tagOf(request.raw), next))
  app.get('/orders/:id', async request => ({ id: 7, at: name, tag: request.headers['x-mse-tag'] ?? null }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

const base = await back('base')
const gray = await back('gray')
let dispatcher: Dispatcher = new Agent()
let origin = `http://127.0.0.1:${base}`
if (hasLane) {
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

if (byHand) {
  const origins = new Map([
    [undefined, `http://127.0.0.1:${base}`],
    ['gray', `http://127.0.0.1:${gray}`],
  ])
  dispatcher = dispatcher.compose(dispatch => (options, handler) => {
    const tag = storage.getStore()
    const headers: Record<string, string> = { ...(options.headers as Record<string, string>), host: 'sc-b' }
    if (tag !== undefined) headers['x-mse-tag'] = tag
    return dispatch({ ...options, origin: origins.get(tag)!, servername: 'sc-b', headers } as never, handler)
  })
  origin = 'http://sc-b'
}

async function callBack(): Promise<unknown> {
  const { body } = await request(`${origin}/orders/7`, { dispatcher, headers: { accept: 'application/json' } })
  return body.json()
}

/** V8 keeps shapes without instances for two. */
const COLLECTIONS = 6

/**
 * A service that runs for a while has collected its garbage several times, and then `process.nextTick` costs 0.2 µs more
 * than before: V8 drops the shape of an object that has no instance at that moment, and what was compiled for it never
 * recovers. Without this, chance at start-up decides which chain pays, 5 to 10 µs for each request on Node 20.
 */
async function growOld(): Promise<void> {
  for (let time = 0; time < COLLECTIONS; time++) {
    globalThis.gc!()
    await new Promise(resolve => setImmediate(resolve))
  }
}

async function listen(): Promise<Server> {
  if (framework === 'fastify') {
    const app = fastify()
    if (hasLane) await app.register((await import('@laneway/fastify')).fastifyLane)
    if (byHand) app.addHook('onRequest', (request, _reply, next) => storage.run(tagOf(request.raw), next))
    app.get('/', callBack)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  }
  const { default: express } = await import('express')
  const app = express()
  if (hasLane) app.use((await import('@laneway/express')).expressLane())
  if (byHand) app.use((request, _response, next) => storage.run(tagOf(request), next))
  app.get('/', async (_request, response) => {
    response.json(await callBack())
  })
  return new Promise(resolve => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}

const server = await listen()
await growOld()
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
process.send!({ port: (server.address() as AddressInfo).port })
