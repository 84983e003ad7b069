import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { type FastifyLaneOptions, fastifyLane } from '@laneway/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import type { Forwarder } from '../exchange/forwarder.js'
import { PROBLEMS } from '../exchange/problem.js'
import type { HeadRules } from '../head/request-head.js'
import type { ListenerOptions, ResolvedClientOptions } from '../options.js'
import { GatewayRequest } from './gateway-request.js'
import { earlyDataOf, Http1Connections } from './http1-connection.js'
import { Http2Sessions } from './http2-sessions.js'
import { readTarget, type TargetedRequest, targetRefusal } from './target.js'

/** How often connections that have become idle are closed while draining. */
const IDLE_CHECK_MS = 50
/** How often Node looks for requests whose head takes too long, at most. */
const HEADERS_CHECK_MS = 30_000

/** A listening port. */
export interface Listener {
  listen(): Promise<void>
  /** @throws Error before `listen()` */
  address(): AddressInfo
  /** Accepts no more connections, and closes those that are idle, now and later. */
  drain(): void
  /** Ends what is left. */
  end(): Promise<void>
}

/** Creates one Fastify instance on a server of the wanted protocol. */
export async function createListener(
  options: ListenerOptions,
  forwarder: Forwarder,
  lane: FastifyLaneOptions,
  head: Omit<HeadRules, 'secure'>,
  client: ResolvedClientOptions,
): Promise<Listener> {
  const { protocol = 'http', port = 0, host = '0.0.0.0' } = options
  const rules: HeadRules = { ...head, secure: protocol === 'https' }
  const sockets = new Set<Socket>()
  const { metrics } = forwarder
  let server: Server | undefined
  let connections: Http1Connections | undefined
  const app = fastify({
    serverFactory: handler => {
      const serve = handler as unknown as Handler
      server = createServer(options, client, (request, response) => {
        if (request.httpVersionMajor === 2) serve(request, response)
        else connections!.request(request, response)
      })
      connections = new Http1Connections(server, protocol === 'https', serve, metrics)
      return server as http.Server
    },
    // One route takes every path: matching is by Gateway API's precedence, and on the path as it was sent.
    rewriteUrl: request => {
      readTarget(request as unknown as TargetedRequest)
      return '/'
    },
    // What is under way is looked after here.
    return503OnClosing: false,
    forceCloseConnections: false,
    clientErrorHandler: (error, socket) => connections!.clientError(error, socket),
    logger: false,
  }) as unknown as FastifyInstance
  await app.register(fastifyLane, lane)

  // Not as a handler: Fastify would look at content types and bodies first, which are the upstream's affair.
  app.addHook('onRequest', function forwardRequest(request, reply, _next) {
    reply.hijack()
    const raw = request.raw as TargetedRequest
    const path = raw.originalUrl ?? ''
    const refusal = targetRefusal(raw)
    if (refusal !== undefined) {
      metrics.refused(refusal === 'bad-request' ? 'target' : refusal)
      forwarder.refuse(raw, reply.raw, path, refusal)
      return
    }
    forwarder.forward(raw, reply.raw, path, request.lane, rules, earlyDataOf(raw))
  })
  app.all('/', async () => {})
  await app.ready()

  const listening = server!
  const sessions = new Http2Sessions(client)
  let born: http2.ServerHttp2Session | undefined
  listening.on('session', (session: http2.ServerHttp2Session) => {
    born = session
  })
  const accepted = (socket: Socket): void => {
    // Node makes the session of a connection before it calls this.
    if (born !== undefined) sessions.add(born, socket)
    born = undefined
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  listening.on('connection', accepted)
  if (protocol === 'https') listening.on('secureConnection', accepted)
  if (protocol !== 'h2c') {
    const http1 = connections!
    listening.on('upgrade', (request: IncomingMessage, _socket: unknown, rest: Buffer) => http1.upgrade(request, rest))
    listening.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor === 2) response.writeHead(417).end()
      else http1.expectation(request, response)
    })
  }
  listening.on('connect', (request: IncomingMessage, response: unknown) => {
    if (request.httpVersionMajor === 2) refuseConnect(forwarder, response as http2.Http2ServerResponse)
    else connections!.connect(request)
  })
  let idleCheck: NodeJS.Timeout | undefined

  return {
    async listen() {
      await app.listen({ port, host })
      // Without a listener it would be uncaught: a connection that could not be accepted ends nothing else.
      listening.on('error', () => metrics.refused('accept'))
    },
    address() {
      const address = listening.address()
      if (address === null || typeof address === 'string') throw new Error('the listener does not listen')
      return address
    },
    drain() {
      listening.close()
      sessions.close()
      const closeIdle = (): void => (listening as http.Server).closeIdleConnections?.()
      closeIdle()
      idleCheck = setInterval(closeIdle, IDLE_CHECK_MS).unref()
    },
    async end() {
      sessions.destroy()
      for (const socket of sockets) socket.destroy()
      await app.close()
      clearInterval(idleCheck)
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function createServer(
  { protocol = 'http', tls }: ListenerOptions,
  client: ResolvedClientOptions,
  handler: Handler,
): Server {
  if (protocol === 'h2c') return http2.createServer(HTTP2, handler as never)
  const { headersTimeoutMs, keepAliveMs, handshakeTimeoutMs } = client
  const common = {
    IncomingMessage: GatewayRequest as unknown as typeof IncomingMessage,
    requestTimeout: 0,
    // `readTarget` looks at it: such a request has an answer and a line in the log, like any other bad one.
    requireHostHeader: false,
  }
  const timeouts = {
    headersTimeout: headersTimeoutMs,
    // A body may take as long as it likes, while something of it arrives.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(Math.ceil(headersTimeoutMs / 4) || HEADERS_CHECK_MS, HEADERS_CHECK_MS),
    // Both of Node's lists of header fields are complete; `readTarget` says how many there may be.
    maxHeadersCount: 0,
  }
  if (protocol === 'https') {
    const { http2: withHttp2 = true, ...context } = { handshakeTimeout: handshakeTimeoutMs || MAX_MS, ...tls }
    const server = withHttp2
      ? http2.createSecureServer(
          {
            ...context,
            ...HTTP2,
            allowHTTP1: true,
            Http1IncomingMessage: common.IncomingMessage,
            requireHostHeader: false,
          } as http2.SecureServerOptions,
          handler as never,
        )
      : https.createServer({ ...context, ...common }, handler)
    return Object.assign(server, timeouts)
  }
  return Object.assign(http.createServer({ ...common, noDelay: true }, handler), timeouts)
}

const MAX_MS = 2 ** 31 - 1

const HTTP2: http2.ServerOptions = {
  // Enough for a browser; each stream costs memory before it is a request.
  settings: { maxConcurrentStreams: 256, enableConnectProtocol: false },
  // As many as HTTP/1 may have: browsers send each cookie as a field of its own.
  maxHeaderListPairs: 900,
}

function refuseConnect(forwarder: Forwarder, response: http2.Http2ServerResponse): void {
  const { status, body, headers } = PROBLEMS['method-not-allowed']
  forwarder.metrics.refused('connect')
  response.writeHead(status, headers)
  response.end(body)
}
