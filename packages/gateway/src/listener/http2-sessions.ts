import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { LINGER_MS } from './end-connection.js'

interface Watched {
  readonly socket: Socket
  open: number
  /** When the last stream ended, or the connection opened. */
  since: number
  served: boolean
  /** When the ping that has no answer yet was sent; 0 for none. */
  pingedAt: number
  /** Bytes read from the connection by then. */
  bytesRead: number
}

/** How long connections may be idle; 0: no limit. */
export interface IdleTimeouts {
  /** From the connection to its first request. */
  readonly headersTimeoutMs: number
  /** From one request to the next. */
  readonly keepAliveMs: number
  /** From a ping to the next byte of the client. */
  readonly stallTimeoutMs: number
}

/**
 * The HTTP/2 connections of a listener. It closes idle ones: Node has no timeout for them, and pings would reset a timeout
 * that counts frames.
 *
 * It also closes those whose client is gone while requests are open. Node does not always notice. Node 20 stops reading
 * after some broken frames (a PING of 7 bytes, DATA on an idle stream), without an error and without the end of the
 * connection, and every Node may stop while it waits for a write.
 */
export class Http2Sessions {
  readonly #sessions = new Map<ServerHttp2Session, Watched>()
  readonly #timeouts: IdleTimeouts
  readonly #check: NodeJS.Timeout

  constructor(timeouts: IdleTimeouts) {
    this.#timeouts = timeouts
    const { headersTimeoutMs, keepAliveMs, stallTimeoutMs } = timeouts
    const shortest = Math.min(headersTimeoutMs || Infinity, keepAliveMs || Infinity, stallTimeoutMs || Infinity)
    this.#check = setInterval(() => this.#endIdle(), Math.min(Math.ceil(shortest / 4), 15_000)).unref()
  }

  /** @param socket - the connection of the session; Node does not let the session destroy it */
  add(session: ServerHttp2Session, socket: Socket): void {
    const since = performance.now()
    const watched: Watched = { socket, open: 0, since, served: false, pingedAt: 0, bytesRead: 0 }
    this.#sessions.set(session, watched)
    const streams = new Set<ServerHttp2Stream>()
    session.once('close', () => {
      this.#sessions.delete(session)
      // Node leaves some streams open when a session ends by an error.
      for (const stream of streams) stream.destroy()
    })
    socket.once('close', () => session.destroy())
    session.on('stream', (stream: ServerHttp2Stream) => {
      streams.add(stream)
      watched.open++
      watched.served = true
      stream.once('close', () => {
        streams.delete(stream)
        if (--watched.open === 0) watched.since = performance.now()
      })
    })
  }

  /** Accepts no more streams; open ones go on. */
  close(): void {
    for (const session of this.#sessions.keys()) session.close()
  }

  destroy(): void {
    clearInterval(this.#check)
    for (const session of this.#sessions.keys()) session.destroy()
  }

  #endIdle(): void {
    const now = performance.now()
    const { headersTimeoutMs, keepAliveMs } = this.#timeouts
    for (const [session, watched] of this.#sessions) {
      const { socket, open, since, served } = watched
      if (open > 0) this.#probe(session, watched, now)
      const limit = served ? keepAliveMs : headersTimeoutMs
      if (open > 0 || limit === 0 || now - since < limit) continue
      session.close()
      // For a client that does not close its side.
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
      socket.once('close', () => clearTimeout(timer))
    }
  }

  /** Asks whether the client is still there; any byte that it sends is an answer. */
  #probe(session: ServerHttp2Session, watched: Watched, now: number): void {
    const { socket, pingedAt, bytesRead } = watched
    const { stallTimeoutMs } = this.#timeouts
    if (stallTimeoutMs === 0 || session.destroyed) return
    if (pingedAt === 0) {
      watched.pingedAt = now
      watched.bytesRead = socket.bytesRead
      session.ping(error => {
        if (!error) watched.pingedAt = 0
      })
    } else if (socket.bytesRead !== bytesRead) {
      watched.pingedAt = now
      watched.bytesRead = socket.bytesRead
    } else if (now - pingedAt >= stallTimeoutMs) {
      session.destroy()
      socket.destroy()
    }
  }
}
