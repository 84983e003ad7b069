import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Refusal } from '../exchange/problem.js'
import type { Metrics } from '../observe/metrics.js'
import { EarlyData } from './early-data.js'
import { endConnection, isEnding, markEnding, refusalText } from './end-connection.js'
import { isWebSocket, takeRest } from './gateway-request.js'
import { afterAnswers, isAnswering, isBegun, lastOf, type Serve, serveInTurn, setLast } from './request-turns.js'
import { resumeSocket } from './resume-socket.js'

const kEarly = Symbol('laneway.gateway.early')
const kSecured = Symbol('laneway.gateway.secured')
const kLater = Symbol('laneway.gateway.later')

/** A connection, with what Node knows of it besides its types. */
type PausedSocket = Socket & { readonly _paused?: boolean; [kLater]?: Buffer[] | undefined }

/** What comes behind the head of an upgrade request; `undefined` for other requests. */
export function earlyDataOf(request: IncomingMessage): EarlyData | undefined {
  return (request as { [kEarly]?: EarlyData })[kEarly]
}

/**
 * HTTP/1 on one listener: serves the requests and upgrades of a connection in their order, and answers what is no request.
 * What a connection sends can end that connection, and nothing else.
 */
export class Http1Connections {
  readonly #server: Server
  readonly #serve: Serve
  readonly #metrics: Metrics
  readonly #secure: boolean

  constructor(server: Server, secure: boolean, serve: Serve, metrics: Metrics) {
    this.#server = server
    this.#secure = secure
    this.#serve = serve
    this.#metrics = metrics
    if (secure) {
      server.on('secureConnection', (socket: object) => {
        ;(socket as { [kSecured]?: true })[kSecured] = true
      })
    }
  }

  /** The server's `request`. */
  request(request: IncomingMessage, response: ServerResponse): void {
    serveInTurn(request, response, this.#serve, () => this.#metrics.refused('pipeline'))
  }

  /** The server's `checkExpectation`: the gateway knows no expectation but `100-continue`. */
  expectation(request: IncomingMessage, response: ServerResponse): void {
    const refuse = (): void => {
      response.writeHead(417, { 'content-length': '0' }).end()
    }
    serveInTurn(request, response, refuse, () => this.#metrics.refused('pipeline'))
  }

  /** The server's `upgrade`, after which Node has released the connection. */
  upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request
    socket.on('error', destroy).on('drain', drained)
    if (!isWebSocket(request)) this.#readOn(request, head)
    else if (isAnswering(socket) && !isBegun(socket)) this.#refuse(socket, 'bad-request', 'pipeline')
    else {
      // A client may have read the whole answer before Node reports that it was sent.
      ;(request as { [kEarly]?: EarlyData })[kEarly] = new EarlyData(socket, head)
      afterAnswers(socket, () => this.#serveUpgrade(request))
    }
  }

  #serveUpgrade(request: IncomingMessage): void {
    const { socket } = request
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    setLast(socket, response)
    // When the upstream does not switch protocols, this was an ordinary request, and the last of its connection.
    response.once('finish', () => endConnection(socket))
    this.#serve(request, response)
  }

  /** The server's `connect`. */
  connect({ socket }: IncomingMessage): void {
    socket.on('error', destroy).on('drain', drained)
    this.#refuse(socket, 'method-not-allowed', 'connect')
  }

  /** The server's `clientError`: answers once, in its turn, what could not be parsed, and never forwards it. */
  clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    // The client has gone, or never spoke TLS.
    if (error.code === 'ECONNRESET' || socket.destroyed || (this.#secure && !isSecured(socket))) {
      socket.destroy()
      return
    }
    if (isEnding(socket)) {
      if (socket.readableEnded) socket.destroy()
      return
    }
    if (readsLater(error, socket)) return
    const [refusal, reason] = refusalOf(error)
    const last = lastOf(socket)
    if (last === undefined || last.closed || last.req.complete) {
      this.#refuse(socket, refusal, reason)
      return
    }
    // The error is in the body of the last request, which waits for its turn or is being forwarded.
    this.#metrics.refused(reason)
    markEnding(socket)
    if (last.socket === null) last.once('socket', () => endConnection(socket, refusalText(refusal)))
    else if (last.headersSent) socket.destroy()
    else endConnection(socket, refusalText(refusal))
  }

  /** Answers after all answers that are due, and ends the connection. */
  #refuse(socket: Socket, refusal: Refusal, reason: string): void {
    this.#metrics.refused(reason)
    markEnding(socket)
    // Without reading, the gateway would not notice that the client leaves.
    socket.once('end', () => {
      if (isAnswering(socket)) socket.destroy()
    })
    resumeSocket(socket)
    afterAnswers(socket, () => endConnection(socket, refusalText(refusal)))
  }

  /**
   * Reads on behind a request that asked for an upgrade and is served without one: Node starts again on the same connection,
   * with what it had not parsed.
   */
  #readOn(request: IncomingMessage, head: Buffer): void {
    const { socket } = request
    takeRest(request)
    const early = new EarlyData(socket, head)
    afterAnswers(socket, () => {
      if (!socket.writable) return
      const rest = early.take()
      socket.off('error', destroy).off('drain', drained)
      // The listeners of Node's old parser.
      socket.removeAllListeners('pause').removeAllListeners('resume')
      socket.setTimeout(0)
      this.#server.emit(this.#secure ? 'secureConnection' : 'connection', socket)
      if (rest.length > 0) socket.unshift(rest)
      resumeSocket(socket)
    })
  }
}

function isSecured(socket: Socket): boolean {
  return (socket as { [kSecured]?: true })[kSecured] === true
}

/**
 * Over TLS, Node passes decrypted data to a parser that it has paused because answers wait to be read. The client did
 * nothing wrong: this keeps the data in its order, and reads it when Node goes on.
 */
function readsLater(error: NodeJS.ErrnoException, socket: PausedSocket): boolean {
  const { code, rawPacket } = error as { code?: string; rawPacket?: Buffer }
  if (code !== 'HPE_PAUSED' || rawPacket === undefined || socket._paused !== true) return false
  // A parser that is paused has parsed nothing of it.
  if (socket[kLater] !== undefined) socket[kLater].push(rawPacket)
  else {
    const later = [rawPacket]
    socket[kLater] = later
    socket.once('resume', () => {
      socket[kLater] = undefined
      socket.unshift(Buffer.concat(later))
    })
  }
  return true
}

function refusalOf({ code }: NodeJS.ErrnoException): [Refusal, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['client-timeout', 'timeout']
  if (code === 'HPE_HEADER_OVERFLOW') return ['head-too-large', 'head-too-large']
  return ['bad-request', 'parse']
}

/** Node has released the connection, so it does not tell the current answer when it can go on; this does. */
function drained(this: Socket): void {
  const { _httpMessage: answer } = this as { _httpMessage?: ServerResponse | null }
  if (answer?.writableEnded === false) answer.emit('drain')
}

function destroy(this: Socket): void {
  this.destroy()
}
