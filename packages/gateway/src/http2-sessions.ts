import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { LINGER_MS } from './end-connection.js'

interface Watched {
  readonly socket: Socket
  open: number
  /** When the last stream ended, or the connection began. */
  since: number
  served: boolean
}

/** How long connections may be without a request. */
export interface IdleTimeouts {
  /** From the connection to its first request; 0 for ever. */
  readonly headersTimeoutMs: number
  /** From one request to the next; 0 for ever. */
  readonly keepAliveMs: number
}

/**
 * The HTTP/2 connections of a listener. It ends those that are idle: Node has no timeout for them, and one that counts
 * frames would be kept off by pings.
 */
export class Http2Sessions {
  readonly #sessions = new Map<ServerHttp2Session, Watched>()
  readonly #timeouts: IdleTimeouts
  readonly #check: NodeJS.Timeout

  constructor(timeouts: IdleTimeouts) {
    this.#timeouts = timeouts
    const shortest = Math.min(timeouts.headersTimeoutMs || Infinity, timeouts.keepAliveMs || Infinity)
    this.#check = setInterval(() => this.#endIdle(), Math.min(Math.ceil(shortest / 4), 15_000)).unref()
  }

  /** @param socket - the connection below the session, which Node does not let destroy through it */
  add(session: ServerHttp2Session, socket: Socket): void {
    const watched: Watched = { socket, open: 0, since: performance.now(), served: false }
    this.#sessions.set(session, watched)
    session.once('close', () => this.#sessions.delete(session))
    session.on('stream', (stream: ServerHttp2Stream) => {
      watched.open++
      watched.served = true
      stream.once('close', () => {
        if (--watched.open === 0) watched.since = performance.now()
      })
    })
  }

  /** Takes no more streams; those that are open go on. */
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
    for (const [session, { socket, open, since, served }] of this.#sessions) {
      const limit = served ? keepAliveMs : headersTimeoutMs
      if (open > 0 || limit === 0 || now - since < limit) continue
      session.close()
      // A client that does not end its side as well.
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
      socket.once('close', () => clearTimeout(timer))
    }
  }
}
