// CommonJS, so that the instrumentation patches `http`. Answers the lanes that a handler and its listeners see.
const { currentLane } = require('@laneway/core')
const { setTimeout: later } = require('node:timers/promises')

const lane = () => currentLane()?.header ?? 'none'

function handler(req, res) {
  const seen = [lane()]
  req.on('data', () => seen.push(lane()))
  req.on('end', async () => {
    seen.push(lane())
    await later(1)
    seen.push(lane())
    res.end(seen.join(' '))
  })
}

const packages = {
  laneServer: http => require('@laneway/http').laneServer(http.createServer(handler)),
  laneHandler: http => http.createServer(require('@laneway/http').laneHandler(handler)),
  express: http => express(http, require('@laneway/express').expressLane()),
  fastify: () => fastify(require('@laneway/fastify').fastifyLane),
}
const unchanged = {
  plain: http => http.createServer(handler),
  express: http => express(http),
  fastify: () => fastify(),
}

function express(http, middleware) {
  const app = require('express')()
  if (middleware !== undefined) app.use(middleware)
  app.post('/', handler)
  return http.createServer(app)
}

async function fastify(plugin) {
  const app = require('fastify')()
  if (plugin !== undefined) await app.register(plugin)
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.post('/', (request, reply) => {
    reply.hijack()
    handler(request.raw, reply.raw)
  })
  await app.ready()
  return app.server
}

async function main() {
  const { ORDER, SDK } = process.env
  const useLanes = () => require('@laneway/otel').useOtelContext()
  if (ORDER === 'lanes first') useLanes()
  if (SDK === '1') require('./otel.cjs')
  const http = require('node:http')
  if (ORDER === 'lanes last') useLanes()
  const ports = {}
  for (const [name, create] of Object.entries(ORDER === undefined ? unchanged : packages)) {
    const server = await create(http)
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    ports[name] = server.address().port
  }
  console.log(`ports ${JSON.stringify(ports)}\nserving on ${Object.values(ports)[0]}`)
}

main()
