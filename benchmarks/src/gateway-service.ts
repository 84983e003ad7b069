// One process for the gateway cases. `node gateway-service.js upstream` answers; `gateway <port>` and `proxy <port>`
// stand in front of it. Tells its port, and its processor time when asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'

const [kind, upstream] = process.argv.slice(2) as ['upstream' | 'gateway' | 'proxy', string | undefined]
/** Takes the access log as a file would, and counts its lines, so that both sides are seen to write one per request. */
let lines = 0
const log = new Writable({
  decodeStrings: false,
  write(text: string, _encoding, done) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
    done()
  },
})

async function answers(): Promise<number> {
  const large = Buffer.alloc(64 * 1024, 'x')
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length })
        response.end(body)
      })
      return
    }
    const body =
      request.url === '/large'
        ? large
        : JSON.stringify({ id: 7, tag: request.headers['x-mse-tag'] ?? null, path: request.url })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function gateway(port: number): Promise<number> {
  const { createGateway } = await import('@laneway/gateway')
  const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
  const source = createStaticSource({
    'sc-a': [
      { host: '127.0.0.1', port },
      // The same one twice would be one endpoint; by its other name it is another.
      { host: 'localhost', port, tags: ['gray'] },
    ],
  })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-a'] })
  await resolver.ready('sc-a')
  const rules = [{ name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }]
  const one = await createGateway({
    resolver,
    routes: [{ path: { prefix: '/' }, service: 'sc-a' }],
    rules: { version: 1, rules },
    accessLog: log,
    listeners: [{ host: '127.0.0.1' }],
  })
  await one.listen()
  return one.address().port
}

/** With a log and numbers of the same content and as cheap as can be, so that they do not decide. */
async function proxy(port: number): Promise<number> {
  const { default: fastify } = await import('fastify')
  const { default: httpProxy } = await import('@fastify/http-proxy')
  const app = fastify({ logger: false })
  const counts = new Map<string, { requests: number; sum: number; buckets: number[] }>()
  const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
  let pending = ''
  // A request whose body has been read may have no socket any more.
  app.decorateRequest('client', '')
  app.addHook('onRequest', (request, _reply, next) => {
    request.setDecorator('client', request.socket.remoteAddress ?? '')
    next()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const seconds = reply.elapsedTime / 1000
    const key = `${request.routeOptions.url}\n${Math.floor(reply.statusCode / 100)}`
    let series = counts.get(key)
    if (series === undefined) {
      series = { requests: 0, sum: 0, buckets: bounds.map(() => 0) }
      counts.set(key, series)
    }
    series.requests++
    series.sum += seconds
    const at = bounds.findIndex(bound => seconds <= bound)
    if (at !== -1) series.buckets[at]!++
    if (pending === '') {
      setImmediate(() => {
        const text = pending
        pending = ''
        log.write(text)
      })
    }
    pending += `${JSON.stringify({
      time: new Date().toISOString(),
      method: request.method,
      host: request.headers.host,
      path: request.url,
      protocol: `HTTP/${request.raw.httpVersion}`,
      client: request.getDecorator<string>('client'),
      status: reply.statusCode,
      route: request.routeOptions.url,
      requestBytes: Number(request.headers['content-length'] ?? 0),
      responseBytes: Number(reply.getHeader('content-length') ?? 0),
      durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
    })}\n`
    done()
  })
  await app.register(httpProxy, { upstream: `http://127.0.0.1:${port}` })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

const port = await (kind === 'upstream'
  ? answers()
  : kind === 'gateway'
    ? gateway(Number(upstream))
    : proxy(Number(upstream)))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu: user + system, lines })
})
process.on('disconnect', () => process.exit())
process.send!({ port })
