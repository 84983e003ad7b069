// The services of the suite, all in this process, so that one request could leak into another: a is Express, b Fastify, c and e
// node:http, d gRPC.
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import grpc from '@grpc/grpc-js'
import { currentLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput, type LaneResolver } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import fastifyLane from '@laneway/fastify'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { LaneAgent, laneHandler } from '@laneway/http'
import { composeLane, createLaneFetch } from '@laneway/undici'
import express from 'express'
import fastify from 'fastify'
import { Agent, fetch, interceptors, request } from 'undici'
import type { Plan, Step } from './plan.js'
import { arrivalOf, arrived, endOf } from './seen.js'

const texts = { serialize: (text: string) => Buffer.from(text), deserialize: (bytes: Buffer) => bytes.toString() }
const METHOD = {
  path: '/suite.Service/Run',
  requestStream: false,
  responseStream: false,
  requestSerialize: texts.serialize,
  requestDeserialize: texts.deserialize,
  responseSerialize: texts.serialize,
  responseDeserialize: texts.deserialize,
} as const
const Client = grpc.makeGenericClientConstructor({ run: METHOD }, 'Service')

/** Names that the suite gives to the loopback address, as the DNS of an internet would. */
const lookup = (_host: string, _options: object, done: (error: null, found: unknown) => void) =>
  done(null, [{ address: '127.0.0.1', family: 4 }])

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
    if (kind === 'retry' && !again) return void response.writeHead(503).end()
    if (kind === 'redirect' && !again) return void response.writeHead(302, { location: '/again' }).end()
    // Its caller is gone by then, or has answered.
    if (kind === 'late' || kind === 'abort') await endOf(plan.id)
    if (kind === 'stream') response.writeHead(200, ['content-type', 'text/plain']).write('first ')
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

  for (const tag of ['', 'gray']) {
    const app = express()
    app.use(expressLane(options('a', tag)))
    app.use((incoming, response) => void serve('a', tag, incoming, response))
    add('a', tag, await listening(noting(app)))
    add('c', tag, await listening(noting(laneHandler((q, r) => serve('c', tag, q, r), options('c', tag)))))
    const server = new grpc.Server({ interceptors: [laneInterceptor(options('d', tag))] })
    let port = 0
    server.addService(
      { run: METHOD },
      {
        run: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => {
          const { plan, kind } = JSON.parse(call.request)
          arrived(plan.id, { service: 'd', tag, port, lane: currentLane()?.header ?? '', asked: undefined })
          const wait = kind === 'late' || kind === 'abort' ? endOf(plan.id) : undefined
          Promise.resolve(wait)
            .then(() => carryOut(plan))
            .then(() => done(null, 'done'), done)
        },
      },
    )
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    closers.push(() => server.forceShutdown())
    add('d', tag, port)
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
  // An instance that nobody has: its port is refused.
  add('e', '', 1)
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

function createClients(resolver: LaneResolver) {
  const dispatcher = composeLane(
    new Agent({ connections: 4, connect: { lookup: lookup as never } }),
    { resolver, warn() {} },
    interceptors.retry({ maxRetries: 3, minTimeout: 1, timeoutFactor: 1 }),
  )
  const fetching = composeLane(new Agent({ connections: 4, connect: { lookup: lookup as never } }), {
    resolver,
    warn() {},
  })
  const laneFetch = createLaneFetch({ resolver, warn() {} })
  const agent = new LaneAgent({ resolver, warn() {} }, { keepAlive: true, maxSockets: 8, lookup } as object)
  const client = new Client('sc-d', grpc.credentials.createInsecure(), laneChannel({ resolver }) as object)

  async function call({ kind, via, to, plan }: Step, outside: number): Promise<void> {
    const headers = { 'x-plan': Buffer.from(JSON.stringify({ plan, kind })).toString('base64') }
    const url = kind === 'outside' ? `http://api.example.com:${outside}/` : `http://sc-${to}/`
    const abort = new AbortController()
    if (kind === 'abort') arrivalOf(plan.id).then(() => abort.abort())
    const { signal } = abort
    try {
      if (via === 'undici') await (await request(url, { headers, dispatcher, signal })).body.dump()
      else if (via === 'fetch') {
        const isOwn = kind === 'outside' || plan.id.length % 2 === 0
        const answer = isOwn
          ? await fetch(url, { headers, signal, dispatcher: fetching })
          : await laneFetch(url, { headers, signal })
        await answer.text()
      } else if (via === 'http') await overHttp(url, headers, signal)
      else await overGrpc(JSON.stringify({ plan, kind }), signal)
    } catch (error) {
      if (kind !== 'abort') throw error
    }
    if (kind === 'redirect' && via === 'undici') {
      // undici's request follows none by itself.
      await (await request(`${url}again`, { headers, dispatcher })).body.dump()
    }
  }

  function overHttp(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      get(url, { headers, agent, signal }, response => {
        response.resume().on('end', resolve).on('error', reject)
      }).on('error', reject)
    })
  }

  function overGrpc(text: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = client['run']!(text, (error: Error | null) => (error === null ? resolve() : reject(error)))
      signal.addEventListener('abort', () => call.cancel())
    })
  }

  return {
    call,
    async close() {
      await Promise.all([dispatcher.destroy(), fetching.destroy()])
      agent.destroy()
      client.close()
    },
  }
}
