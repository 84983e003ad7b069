import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Requests that wait behind another one on the same connection, at most. One read of 64 kB cannot hold more. A connection
 * with more is ended, because each waiting request costs memory.
 */
const MAX_WAITING = 2500

const kTurns = Symbol('laneway.gateway.turns')

/** The open requests of one HTTP/1 connection. */
interface Turns {
  /** The response of the last request that was parsed. */
  last: ServerResponse
  waiting: number
}

type TurnSocket = Socket & { [kTurns]?: Turns }

/** Serves a request, or refuses it. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Node emits every pipelined request as soon as it is parsed. This serves them one after the other: a request starts when
 * the answers before it have been sent, and never when its connection ends first.
 *
 * @param flooded - called when too many requests wait; the connection is destroyed
 */
export function serveInTurn(
  request: IncomingMessage,
  response: ServerResponse,
  serve: Serve,
  flooded: () => void,
): void {
  const socket = request.socket as TurnSocket
  let turns = socket[kTurns]
  if (turns === undefined) {
    turns = { last: response, waiting: 0 }
    socket[kTurns] = turns
  } else turns.last = response
  // Node assigns the socket to the response whose turn it is.
  if (response.socket !== null) {
    serve(request, response)
    return
  }
  if (++turns.waiting > MAX_WAITING) {
    if (!socket.destroyed) flooded()
    socket.destroy()
    return
  }
  const own = turns
  response.once('socket', () => {
    own.waiting--
    // Not inside the end of the previous answer: synchronous answers would nest, once for each waiting request.
    process.nextTick(() => {
      if (!socket.destroyed) serve(request, response)
    })
  })
}

/** The last request that was parsed on this connection, with its response; `undefined` before the first. */
export function lastOf(socket: Socket): ServerResponse | undefined {
  return (socket as TurnSocket)[kTurns]?.last
}

/** Whether an answer is still due on this connection. */
export function isAnswering(socket: Socket): boolean {
  const last = lastOf(socket)
  return last !== undefined && !last.closed
}

/** Whether the last answer of this connection has begun. */
export function isBegun(socket: Socket): boolean {
  return lastOf(socket)?.headersSent !== false
}

/** Calls back when every parsed request has its answer; never when the connection ends first. */
export function afterAnswers(socket: Socket, call: () => void): void {
  const last = lastOf(socket)
  if (last === undefined || last.closed) call()
  else {
    last.once('close', () => {
      if (!socket.destroyed) call()
    })
  }
}

/** Notes a response on this connection that Node did not create. */
export function setLast(socket: Socket, last: ServerResponse): void {
  const turns = (socket as TurnSocket)[kTurns]
  if (turns === undefined) (socket as TurnSocket)[kTurns] = { last, waiting: 0 }
  else turns.last = last
}
