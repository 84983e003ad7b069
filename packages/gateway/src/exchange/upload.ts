import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** A request that ended before its upstream was at fault; by its name, no endpoint is blamed for it. */
export abstract class AbortedError extends Error {
  override readonly name = 'AbortError'
  abstract readonly code: string
}

/** The client went away before its request was complete. */
export class ClientGone extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_CLIENT_GONE'

  constructor() {
    super('the client has gone')
  }
}

/** The client sent nothing for too long. */
export class ClientStalled extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_CLIENT_STALLED'

  constructor() {
    super('the client sent nothing for too long')
  }
}

/**
 * The body of a request on its way to an upstream. The request itself is not handed to undici, because undici destroys a
 * body whose answer came early, and with it the connection on which the client is to get that answer.
 *
 * Nothing is read before undici asks, so a connect error leaves the body whole for the next endpoint.
 */
export class Upload extends Readable {
  bytes = 0
  /** The tick since which the upstream waits for the client; 0 when it does not. */
  waitingSince = 0
  readonly #request: IncomingMessage
  readonly #clock: { readonly tick: number }
  #started = false
  #abandoned = false

  constructor(request: IncomingMessage, clock: { readonly tick: number }) {
    super({ highWaterMark: 64 * 1024 })
    this.#request = request
    this.#clock = clock
    // undici listens while it sends; a client that goes after that is no uncaught exception.
    this.on('error', ignore)
  }

  override _read(): void {
    if (this.#abandoned) return
    this.waitingSince = this.#clock.tick
    if (this.#started) {
      this.#request.resume()
      return
    }
    this.#started = true
    this.#request.on('data', this.#take).on('end', this.#end).on('error', this.#gone).on('close', this.#gone)
  }

  /** Reads no more for the upstream: what is still to come is the request's own, and nothing here pauses it again. */
  abandon(): void {
    this.waitingSince = 0
    this.#abandoned = true
    this.#detach()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.waitingSince = 0
    if (this.#started && !this.#abandoned) {
      this.#detach()
      if (!this.#request.complete) this.#request.pause()
    }
    done(error)
  }

  /** `error` stays: a client that goes now must not be an uncaught exception. */
  #detach(): void {
    this.#request.off('data', this.#take).off('end', this.#end).off('close', this.#gone)
  }

  readonly #take = (chunk: Buffer): void => {
    this.bytes += chunk.length
    this.waitingSince = this.#clock.tick
    if (this.push(chunk)) return
    this.waitingSince = 0
    this.#request.pause()
  }

  readonly #end = (): void => {
    this.waitingSince = 0
    this.push(null)
  }

  readonly #gone = (): void => {
    if (!this.#request.complete) this.destroy(new ClientGone())
  }
}

function ignore(): void {}

/** Whether a request has a body, by its framing. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  if (length !== undefined) return length !== '0'
  // HTTP/2 frames a body without either.
  const { stream } = request as unknown as { stream?: { endAfterHeaders?: boolean } }
  return stream !== undefined && stream.endAfterHeaders === false
}
