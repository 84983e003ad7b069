// One service process of the chain entry -> a -> b -> c. What it should do wrong comes as messages of the driver.
import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'
import { createLaneResolver } from '@laneway/discovery'
import { createNacosClient, createNacosSource, registerInstance } from '@laneway/nacos'
import { composeLane } from '@laneway/undici'
import { Agent, interceptors, request } from 'undici'
import { callGrpc, serveGrpc } from './grpc-hop.mjs'

const { NAME = 'c', NEXT = '', NACOS = '', PREFIX = 'sc', LANEWAY_TAG = '', GRPC = '' } = process.env
/**
 * How often a hop asks again, as callers of idempotent operations do: Laneway never repeats a request whose response has
 * begun. Each attempt draws anew: with two instances of which one breaks every answer, one request in 2^30 would fail.
 */
const ATTEMPTS = 30
const nacos = createNacosClient({ servers: NACOS })
const resolver = createLaneResolver({
  sources: [createNacosSource(nacos)],
  services: NEXT === '' ? [] : [`${PREFIX}-${NEXT}`],
  readyTimeoutMs: 20_000,
})
const dispatcher = composeLane(
  new Agent({ connections: 64, headersTimeout: 1000, bodyTimeout: 1000, connect: { timeout: 500 } }),
  { resolver },
  interceptors.retry({
    maxRetries: 2,
    minTimeout: 10,
    statusCodes: [],
    // undici's own list but for the timeout of a head, which undici leaves to its user.
    errorCodes: ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT'],
  }),
)
const url = `http://${PREFIX}-${NEXT}/`
const viaGrpc = GRPC !== '' && NEXT === 'c' ? callGrpc(`${PREFIX}-c`, resolver, 1000) : undefined
let fault = ''
let port = 0

async function next() {
  let failure
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      if (viaGrpc !== undefined) return await viaGrpc()
      const { statusCode, body } = await request(url, { dispatcher })
      const text = await body.text()
      if (statusCode === 200) return text
      failure = new Error(text)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Answers with a word for each hop behind this one: name, port, tag on the wire, lane of the context. */
async function serve(req, res) {
  req.resume()
  const hop = `${NAME}|${port}|${req.headers['x-mse-tag'] ?? ''}|${currentLane()?.header ?? ''}`
  if (fault === 'slow') await new Promise(resolve => setTimeout(resolve, 5000))
  try {
    const text = NEXT === '' ? hop : `${hop} ${await next()}`
    if (fault !== 'reset') return void res.end(text)
    res.writeHead(200, { 'content-length': text.length })
    res.write(text.slice(0, 5), () => req.socket.resetAndDestroy())
  } catch (error) {
    res.writeHead(502).end(`${NAME}: ${error.code ?? ''} ${error.message}`)
  }
}

/** a is an Express application, b a Fastify one, the others are bare. */
async function serverOf() {
  const options = { trust: 'internal' }
  if (NAME === 'a') {
    const [{ default: express }, { expressLane }] = await Promise.all([import('express'), import('@laneway/express')])
    return createServer(express().use(expressLane(options)).use(serve))
  }
  if (NAME === 'b') {
    const [{ default: fastify }, { fastifyLane }] = await Promise.all([import('fastify'), import('@laneway/fastify')])
    const app = fastify()
    await app.register(fastifyLane, options)
    app.get('/', (request, reply) => {
      reply.hijack()
      void serve(request.raw, reply.raw)
    })
    await app.ready()
    return app.server
  }
  const { laneHandler } = await import('@laneway/http')
  return createServer(laneHandler(serve, options))
}

/** An HTTP server, with what can be done to it. */
async function serveHttp() {
  const server = await serverOf()
  // Longer than a run: a client that uses a connection while its server closes it for idleness gets a reset.
  server.keepAliveTimeout = 3_600_000
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return {
    port,
    refuse() {
      server.close()
      server.closeAllConnections()
    },
    accept: () => server.listening || server.listen(port, '127.0.0.1'),
    async close() {
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      await new Promise(resolve => server.close(resolve))
      clearInterval(idle)
    },
  }
}

async function answerGrpc(tag) {
  if (fault === 'slow') await new Promise(resolve => setTimeout(resolve, 5000))
  return `${NAME}|${port}|${tag}|${currentLane()?.header ?? ''}`
}

const server =
  GRPC !== '' && NAME === 'c'
    ? await serveGrpc(answerGrpc, () => fault === 'reset', { trust: 'internal' })
    : await serveHttp()
port = server.port
if (NEXT !== '') await resolver.ready(`${PREFIX}-${NEXT}`)
const registration =
  NAME === 'entry'
    ? undefined
    : await registerInstance(nacos, { service: `${PREFIX}-${NAME}`, port, ip: '127.0.0.1', leaveDelayMs: 1500 })
process.send({ port, tag: LANEWAY_TAG })

process.on('message', message => {
  const before = fault
  fault = message
  if (message === 'refuse') server.refuse()
  else if (message === '' && before === 'refuse') void server.accept()
})
process.once('SIGTERM', async () => {
  await registration?.deregister()
  await server.close()
  process.exit(0)
})
process.on('disconnect', () => process.exit(0))
