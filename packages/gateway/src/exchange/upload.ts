import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** A request that ended through no fault of its upstream. Its name keeps `@laneway/undici` from blaming the endpoint. */
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
 * The body of a request on its way to an upstream. undici does not get the request itself, because it destroys a body whose
 * answer came early, and with it the connection on which the client waits for that answer.
 *
 * It reads nothing before undici asks, so after a connect error the body is still complete for the next endpoint.
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
    // undici listens only while it sends; without this, a client that leaves later would be an uncaught exception.
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

  /** Stops reading for the upstream; the request is not paused by this object any more. */
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

  /** Keeps the `error` listener: a client that leaves now must not be an uncaught exception. */
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
