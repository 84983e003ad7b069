import http, { type IncomingMessage, ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { type FastifyLaneOptions, fastifyLane } from '@laneway/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import type { Forwarder } from './forwarder.js'
import { GatewayRequest } from './gateway-request.js'
import type { ListenerOptions } from './options.js'
import { PROBLEMS } from './problem.js'
import type { HeadRules } from './request-head.js'
import { isBadTarget, readTarget, type TargetedRequest } from './target.js'

/** How often connections that have become idle are closed while draining. */
const IDLE_CHECK_MS = 50
/** Longer than load balancers keep theirs, so that it is they who close. */
const KEEP_ALIVE_MS = 75_000
/** For the head of a request; a body may take as long as it likes. */
const HEADERS_MS = 60_000

const kHead = Symbol('laneway.gateway.head')

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
): Promise<Listener> {
  const { protocol = 'http', port = 0, host = '0.0.0.0' } = options
  const rules: HeadRules = { ...head, secure: protocol === 'https' }
  const sockets = new Set<Socket>()
  const sessions = new Set<http2.Http2Session>()
  let server: Server | undefined
  const app = fastify({
    serverFactory: handler => {
      server = createServer(options, handler as never)
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
    clientErrorHandler: (error, socket) => answerClientError(forwarder, error, socket),
    logger: false,
  }) as unknown as FastifyInstance
  await app.register(fastifyLane, lane)

  // Not as a handler: Fastify would look at content types and bodies first, which are the upstream's affair.
  app.addHook('onRequest', function forwardRequest(request, reply, _next) {
    reply.hijack()
    const raw = request.raw as TargetedRequest & { [kHead]?: Buffer }
    if (isBadTarget(raw)) {
      forwarder.metrics.refused('target')
      forwarder.refuse(raw, reply.raw, raw.originalUrl ?? '')
      return
    }
    forwarder.forward(raw, reply.raw, raw.originalUrl!, request.lane, rules, raw[kHead])
  })
  app.all('/', async () => {})
  await app.ready()

  const listening = server!
  const forget = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  listening.on('connection', forget)
  listening.on('session', (session: http2.Http2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  if (protocol !== 'h2c') {
    listening.on('upgrade', (request: IncomingMessage & { [kHead]?: Buffer }, socket: Socket, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      request[kHead] = head
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      // When the upstream does not switch, this was a request like any other, and the last of its connection.
      response.once('finish', () => socket.destroySoon())
      app.routing(request as never, response as never)
    })
    listening.on('connect', (_request: IncomingMessage, socket: Socket) => {
      forwarder.metrics.refused('connect')
      socket.on('error', () => socket.destroy())
      socket.end(
        'HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD, POST\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      )
    })
  }
  let idleCheck: NodeJS.Timeout | undefined

  return {
    async listen() {
      await app.listen({ port, host })
    },
    address() {
      const address = listening.address()
      if (address === null || typeof address === 'string') throw new Error('the listener does not listen')
      return address
    },
    drain() {
      listening.close()
      for (const session of sessions) session.close()
      const closeIdle = (): void => (listening as http.Server).closeIdleConnections?.()
      closeIdle()
      idleCheck = setInterval(closeIdle, IDLE_CHECK_MS).unref()
    },
    async end() {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
      await app.close()
      clearInterval(idleCheck)
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function createServer({ protocol = 'http', tls }: ListenerOptions, handler: Handler): Server {
  if (protocol === 'h2c') return http2.createServer({ settings: SETTINGS }, handler as never)
  const common = { IncomingMessage: GatewayRequest as unknown as typeof IncomingMessage, requestTimeout: 0 }
  if (protocol === 'https') {
    const { http2: withHttp2 = true, ...context } = tls ?? {}
    const server = withHttp2
      ? http2.createSecureServer(
          {
            ...context,
            allowHTTP1: true,
            Http1IncomingMessage: common.IncomingMessage,
            settings: SETTINGS,
          } as http2.SecureServerOptions,
          handler as never,
        )
      : https.createServer({ ...context, ...common }, handler)
    return Object.assign(server, { headersTimeout: HEADERS_MS, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS })
  }
  return http.createServer(
    { ...common, headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true },
    handler,
  )
}

/** Enough for a browser; each stream costs memory before it is a request. */
const SETTINGS: http2.Settings = { maxConcurrentStreams: 256, enableConnectProtocol: false }

/** What could not be parsed is answered once and never forwarded. */
function answerClientError(forwarder: Forwarder, error: NodeJS.ErrnoException, socket: Socket): void {
  // The client went away, or has an answer already.
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy()
    return
  }
  const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  forwarder.metrics.refused(timedOut ? 'timeout' : tooLarge ? 'head-too-large' : 'parse')
  const answering = (socket as { _httpMessage?: { headersSent?: boolean } | null })._httpMessage?.headersSent === true
  if (!socket.writable || answering) {
    socket.destroy()
    return
  }
  const { body, headers } = PROBLEMS['bad-request']
  const status = timedOut ? '408 Request Timeout' : tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
  let text = `HTTP/1.1 ${status}\r\nconnection: close\r\n`
  if (status.startsWith('400')) {
    for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
    text += `\r\n${body.toString()}`
  } else text += 'content-length: 0\r\n\r\n'
  socket.end(text)
}
