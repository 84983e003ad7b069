// The services of the suite, all in this process, so that one request could leak into another: a is Express, b Fastify, c and e
// node:http, d and f gRPC.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { currentLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput, type LaneResolver } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import fastifyLane from '@laneway/fastify'
import { laneInterceptor } from '@laneway/grpc'
import { laneHandler } from '@laneway/http'
import express from 'express'
import fastify from 'fastify'
import { createClients } from './clients.js'
import { askedIn, serveGrpc, UNAVAILABLE } from './grpc.js'
import type { Plan } from './plan.js'
import { arrivalOf, arrived, endOf } from './seen.js'

export interface Suite {
  readonly resolver: LaneResolver
  /** Ports by service, base first. */
  readonly ports: Readonly<Record<string, readonly number[]>>
  close(): Promise<void>
}

export async function startServices(): Promise<Suite> {
  const servers: Server[] = []
  const endpoints: Record<string, EndpointInput[]> = {}
  const ports: Record<string, number[]> = {}
  const closers: (() => unknown)[] = []
  const late: Promise<unknown>[] = []
  let outside = 0
  let agents: ReturnType<typeof createClients>

  async function listening(server: Server): Promise<number> {
    servers.push(server)
    // A busy machine takes its time between two calls of a connection.
    server.keepAliveTimeout = 60_000
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
    return (server.address() as AddressInfo).port
  }
  const add = (service: string, tag: string, port: number) => {
    const endpoint = { host: '127.0.0.1', port, tags: tag === '' ? [] : [tag] }
    endpoints[`sc-${service}`] = [...(endpoints[`sc-${service}`] ?? []), endpoint]
    ports[service] = [...(ports[service] ?? []), port]
  }
  const options = (service: string, tag: string) => ({ trace: { name: service }, ...(tag !== '' && { tag }) })
  const asked = new WeakMap<object, string | undefined>()

  /** A call that fails gives a status that the suite reports; Fastify would answer nothing. */
  const serve = (service: string, tag: string, raw: IncomingMessage, response: ServerResponse): Promise<unknown> =>
    answer(service, tag, raw, response).catch(error => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end(String(error))
    })

  async function answer(service: string, tag: string, raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const { plan, kind } = JSON.parse(Buffer.from(String(raw.headers['x-plan']), 'base64').toString())
    const lane = currentLane()?.header ?? ''
    const again = raw.url === '/again' || seenOnce.has(plan.id)
    seenOnce.add(plan.id)
    arrived(plan.id, { service, tag, port: raw.socket.localPort!, lane, asked: asked.get(raw) })
    if ((kind === 'retry' || kind === 'again') && !again) return void response.writeHead(503).end()
    if (kind === 'redirect' && !again) return void response.writeHead(302, { location: '/again' }).end()
    // Its caller is gone by then, or has answered.
    const isLeft = kind === 'late' || kind === 'abort' || kind === 'cut'
    if (kind === 'stream' || kind === 'cut') response.writeHead(200, ['content-type', 'text/plain']).write('first ')
    if (isLeft) await endOf(plan.id)
    await carryOut(plan)
    response.end('done')
  }
  const seenOnce = new Set<string>()

  async function carryOut({ steps }: Plan): Promise<void> {
    let going: Promise<unknown>[] = []
    for (const step of steps) {
      if (!step.together) {
        await Promise.all(going)
        going = []
      }
      const call = agents.call(step, outside)
      if (step.kind !== 'late') going.push(call)
      else {
        late.push(call)
        // It has to be under way before the answer.
        going.push(arrivalOf(step.plan.id))
      }
    }
    await Promise.all(going)
  }

  /** Notes what came before any code of Laneway sees it. */
  const noting = (handler: (request: IncomingMessage, response: ServerResponse) => void) =>
    createServer((incoming, response) => {
      asked.set(incoming, incoming.headers['x-laneway-trace'] as string | undefined)
      handler(incoming, response)
    })

  async function listeningGrpc(service: string, tag: string): Promise<number> {
    const [server, port] = await serveGrpc(laneInterceptor(options(service, tag)), async (request, metadata, begin) => {
      const { plan, kind } = JSON.parse(request)
      const isFirst = !seenOnce.has(plan.id)
      seenOnce.add(plan.id)
      arrived(plan.id, { service, tag, port, lane: currentLane()?.header ?? '', asked: askedIn.get(metadata) })
      if ((kind === 'retry' || kind === 'again') && isFirst) throw UNAVAILABLE
      if (kind === 'stream' || kind === 'cut') begin()
      if (kind === 'late' || kind === 'abort' || kind === 'cut') await endOf(plan.id)
      await carryOut(plan)
    })
    closers.push(() => server.forceShutdown())
    return port
  }

  for (const tag of ['', 'gray']) {
    const app = express()
    app.use(expressLane(options('a', tag)))
    app.use((incoming, response) => void serve('a', tag, incoming, response))
    add('a', tag, await listening(noting(app)))
    add('c', tag, await listening(noting(laneHandler((q, r) => serve('c', tag, q, r), options('c', tag)))))
    add('d', tag, await listeningGrpc('d', tag))
  }
  const b = fastify({
    serverFactory: handler => {
      const server = noting(handler as never)
      servers.push(server)
      server.keepAliveTimeout = 60_000
      return server
    },
  })
  await b.register(fastifyLane, options('b', ''))
  b.all('*', async (incoming, reply) => {
    reply.hijack()
    await serve('b', '', incoming.raw, reply.raw)
  })
  await b.listen({ port: 0, host: '127.0.0.1' })
  add('b', '', (b.server.address() as AddressInfo).port)
  add('e', '', await listening(noting(laneHandler((q, r) => serve('e', '', q, r), options('e', '')))))
  // Instances that nobody has: their port is refused.
  add('e', '', 1)
  add('f', '', await listeningGrpc('f', ''))
  add('f', '', 1)
  outside = await listening(
    createServer((incoming, response) => {
      const { plan } = JSON.parse(Buffer.from(String(incoming.headers['x-plan']), 'base64').toString())
      const { 'x-mse-tag': lane = '', 'x-laneway-trace': asked } = incoming.headers as Record<string, string>
      arrived(plan.id, { service: 'outside', tag: '', port: outside, lane, asked })
      response.setHeader('x-laneway-path', '1["a lie","","","",[]]').end()
    }),
  )
  const resolver = createLaneResolver({ sources: [createStaticSource(endpoints)], services: Object.keys(endpoints) })
  agents = createClients(resolver)
  return {
    resolver,
    ports,
    async close() {
      await Promise.allSettled(late)
      await agents.close()
      for (const close of closers) close()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      await b.close()
      await resolver.close()
    },
  }
}
