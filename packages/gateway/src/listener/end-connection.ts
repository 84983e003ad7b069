import type { Socket } from 'node:net'
import { PROBLEMS, type Refusal } from '../exchange/problem.js'
import { resumeSocket } from './resume-socket.js'

/** How long a connection stays open while the client still sends, so that the client reads the answer before a reset. */
export const LINGER_MS = 2000

const kEnding = Symbol('laneway.gateway.ending')

type EndingSocket = Socket & { [kEnding]?: true }

/** Sends a last text and closes the connection: when the client closes it too, at the latest after {@link LINGER_MS}. */
export function endConnection(socket: Socket, text = ''): void {
  markEnding(socket)
  if (socket.destroyed) return
  if (!socket.writable || socket.readableEnded) {
    if (socket.writable && text !== '') socket.end(text, 'latin1')
    socket.destroySoon()
  } else {
    if (text === '') socket.end()
    else socket.end(text, 'latin1')
    socket.once('end', () => socket.destroySoon())
    // Discards what comes now.
    socket.on('data', ignore)
    resumeSocket(socket)
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Notes that nothing more on this connection is read. */
export function markEnding(socket: Socket): void {
  ;(socket as EndingSocket)[kEnding] = true
}

/** Whether {@link endConnection} or {@link markEnding} was called. */
export function isEnding(socket: Socket): boolean {
  return (socket as EndingSocket)[kEnding] === true
}

/** The gateway's answer to bytes that never became a request. */
export function refusalText(refusal: Refusal): string {
  return TEXTS[refusal]
}

const TEXTS = Object.freeze(
  Object.fromEntries(
    Object.entries(PROBLEMS).map(([refusal, { status, title, body, headers }]) => {
      let text = `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\n`
      for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
      return [refusal, `${text}\r\n${body.toString()}`]
    }),
  ) as Record<Refusal, string>,
)

function ignore(): void {}
