import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse, ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { bindEmitter, type Lane } from '@laneway/core'
import { type Ingress, needsContext, runRequest } from '@laneway/core/internal'
import type { Forwarder } from '../exchange/forwarder.js'
import { PROBLEMS } from '../exchange/problem.js'
import type { ListenerOptions } from '../gateway-options.js'
import type { HeadRules } from '../head/request-head.js'
import type { ResolvedClientOptions } from '../resolve-options.js'
import { createServer } from './create-server.js'
import { earlyDataOf, Http1Connections } from './http1-connection.js'
import { Http2Sessions } from './http2-sessions.js'
import { addressOf, closed, listen } from './listen.js'
import type { Serve } from './request-turns.js'
import { readTarget } from './target.js'

/** How often connections that have become idle are closed while draining. */
const IDLE_CHECK_MS = 50

/** A listening port. */
export interface Listener {
  listen(): Promise<void>
  /** @throws Error before `listen()` */
  address(): AddressInfo
  /** Accepts no more connections, and closes idle ones, now and later. */
  drain(): void
  /** Closes the connections that are left. */
  end(): Promise<void>
}

/** Creates a server that forwards what it gets. Its port opens with `listen()`. */
export function createListener(
  options: ListenerOptions,
  forwarder: Forwarder,
  ingress: Ingress,
  head: Omit<HeadRules, 'secure'>,
  client: ResolvedClientOptions,
): Listener {
  const { protocol = 'http', port = 0, host = '0.0.0.0' } = options
  const { metrics } = forwarder
  const serve = createServe(forwarder, ingress, { ...head, secure: protocol === 'https' })
  const server = createServer(options, client, (request, response) => {
    if (request.httpVersionMajor === 2) serve(request, response)
    else connections.request(request, response)
  })
  const connections = new Http1Connections(server, protocol === 'https', serve, metrics)
  const sessions = new Http2Sessions(client)
  const sockets = trackSockets(server, protocol === 'https', sessions)
  server.on('clientError', (error: Error, socket: Socket) => connections.clientError(error, socket))
  if (protocol !== 'h2c') {
    server.on('upgrade', (request: IncomingMessage, _socket: unknown, rest: Buffer) =>
      connections.upgrade(request, rest),
    )
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor === 2) response.writeHead(417).end()
      else connections.expectation(request, response)
    })
  }
  server.on('connect', (request: IncomingMessage, response: unknown) => {
    if (request.httpVersionMajor === 2) refuseConnect(forwarder, response as Http2ServerResponse)
    else connections.connect(request)
  })
  let idleCheck: NodeJS.Timeout | undefined

  return {
    async listen() {
      await listen(server, port, host)
      // Without a listener, a connection that could not be accepted would be an uncaught exception.
      server.on('error', () => metrics.refused('accept'))
    },
    address: () => addressOf(server, 'the listener'),
    drain() {
      server.close()
      sessions.close()
      const closeIdle = (): void => (server as HttpServer).closeIdleConnections?.()
      closeIdle()
      idleCheck = setInterval(closeIdle, IDLE_CHECK_MS).unref()
    },
    async end() {
      sessions.destroy()
      for (const socket of sockets) socket.destroy()
      await closed(server)
      clearInterval(idleCheck)
    },
  }
}

/** Decides the lane of a request, then forwards it inside that lane. */
function createServe(forwarder: Forwarder, ingress: Ingress, rules: HeadRules): Serve {
  function forwardRequest(request: IncomingMessage, response: ServerResponse, path: string, lane: Lane | undefined) {
    forwarder.forward(request, response, path, lane, rules, earlyDataOf(request))
  }

  return (request, response) => {
    const refusal = readTarget(request)
    const path = request.url ?? ''
    const decision = ingress(request)
    if (refusal !== undefined) {
      forwarder.metrics.refused(refusal === 'bad-request' ? 'target' : refusal)
      forwarder.refuse(request, response, path, refusal)
      return
    }
    const { lane } = decision
    // Events of this socket belong to the lane of the request that opened the tunnel.
    if (earlyDataOf(request) !== undefined && needsContext(decision, request)) bindEmitter(request.socket, lane)
    runRequest(decision, request, response, forwardRequest, request, response, path, lane)
  }
}

/** Follows the connections of a server, so that they can be closed. */
function trackSockets(server: Server, isSecure: boolean, sessions: Http2Sessions): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  let created: ServerHttp2Session | undefined
  server.on('session', (session: ServerHttp2Session) => {
    created = session
  })
  const accepted = (socket: Socket): void => {
    // Node creates the session of a connection before it calls this.
    if (created !== undefined) sessions.add(created, socket)
    created = undefined
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  server.on('connection', accepted)
  if (isSecure) server.on('secureConnection', accepted)
  return sockets
}

function refuseConnect(forwarder: Forwarder, response: Http2ServerResponse): void {
  const { status, body, headers } = PROBLEMS['method-not-allowed']
  forwarder.metrics.refused('connect')
  response.writeHead(status, headers)
  response.end(body)
}
