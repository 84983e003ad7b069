// What a row gets to build its service with.
import http from 'node:http'
import { createRequire } from 'node:module'

// Most programs require node:http at their start, and OpenTelemetry patches it only then.
createRequire(import.meta.url)('node:http')

/**
 * - `urls`: `service`, `peer` (in scope, no service) and `third` (a third party); `targetOf(req)` is the one A asks for
 * - `require`: of this folder; `import()` in a row finds the same libraries
 * - `laneway`: what the packages export, in the way "explicit" only
 * - `agent(options)`: an `http.Agent`, a `LaneAgent` in the way "explicit"
 * - `note(req, event)`: an event of a request, to be held against plain Node
 * - `hit(req, headers)`: a call that a mock has answered
 * - `resources`: by name, what the row `needs`
 * - `onClose(fn)`: runs after the server has closed
 */
export async function createKit({ way, urls, instances, resources = {} }) {
  const closers = []
  const notes = {}
  const hits = []
  const laneway = way === 'explicit' ? await explicitPackages(instances, closers) : undefined
  const kit = {
    way,
    urls,
    resources,
    laneway,
    notes,
    hits,
    require: createRequire(import.meta.url),
    targetOf: req => urls[req.headers['x-to']],
    agent(options = { keepAlive: true }) {
      const agent = laneway?.agentWith(options) ?? new http.Agent(options)
      closers.push(() => agent.destroy())
      return agent
    },
    idOf: req => req.headers['x-id'],
    note(req, event) {
      const id = req.headers['x-id']
      notes[id] = [...(notes[id] ?? []), event]
    },
    hit(req, headers) {
      const raw = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap(one => [name, String(one)]))
      hits.push({ id: req.headers['x-id'], place: 'mock', method: 'GET', path: '', raw, body: '' })
    },
    onClose: closer => closers.push(closer),
    /** Takes a handler, a server, `{ server, close }` or `{ port, close }`. */
    async serve(service) {
      if (service.port !== undefined) {
        if (service.close !== undefined) closers.unshift(() => service.close())
        return service.port
      }
      const own = service.server ?? service
      const server = typeof own === 'function' ? http.createServer(own) : own
      if (laneway !== undefined && service.laned !== true) laneway.serve(server)
      await new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      closers.unshift(async () => {
        const closed = new Promise(resolve => server.close(resolve))
        server.closeAllConnections()
        await closed
        await service.close?.()
      })
      return server.address().port
    },
    async close() {
      for (const closer of closers) await closer()
    },
  }
  return kit
}

/** Laneway as the READMEs of the packages say. */
async function explicitPackages(instances, closers) {
  const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
  const { LaneAgent, laneServer } = await import('@laneway/http')
  const { composeLane, createLaneFetch } = await import('@laneway/undici')
  const { expressLane } = await import('@laneway/express')
  const { fastifyLane } = await import('@laneway/fastify')
  const core = await import('@laneway/core')
  const resolver = createLaneResolver({
    sources: [createStaticSource({ 'sc-c': instances })],
    services: ['sc-c'],
  })
  await resolver.ready('sc-c')
  const options = { resolver, warn: () => {} }
  const agent = new LaneAgent(options)
  closers.push(() => agent.destroy())
  closers.push(() => resolver.close())
  return {
    ...core,
    agent,
    agentWith: agentOptions => new LaneAgent(options, agentOptions),
    dispatcher: (base, ...interceptors) => composeLane(base, options, ...interceptors),
    fetch: createLaneFetch(options),
    serve: server => laneServer(server),
    express: () => expressLane(),
    fastify: fastifyLane,
  }
}
