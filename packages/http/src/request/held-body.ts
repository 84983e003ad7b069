import type { ClientRequest } from 'node:http'

const METHODS = ['write', 'end', 'flushHeaders'] as const
type Method = (typeof METHODS)[number]
type Writing = Record<Method, (...args: unknown[]) => unknown>

const kHeld = Symbol('laneway.held')

/**
 * Holds what a caller writes into a request until the request has its socket. Node gives the socket one tick after the
 * call, and code that proxies requests may set headers then. An earlier write would render the head without them.
 */
export function holdBody(request: ClientRequest): void {
  if (!Object.hasOwn(request, kHeld)) new HeldBody(request)
}

export function holdsBody(request: object): boolean {
  return (request as { [kHeld]?: HeldBody })[kHeld] !== undefined
}

/** The listeners of `socket` have run: writes what was held. */
export function releaseBody(request: object): void {
  ;(request as { [kHeld]?: HeldBody })[kHeld]?.release()
}

class HeldBody {
  readonly #request: ClientRequest
  readonly #below = new Map<Method, (...args: unknown[]) => unknown>()
  readonly #own = new Map<Method, unknown>()
  readonly #held = new Map<Method, unknown>()
  #calls: [Method, unknown[]][] | undefined = []
  #length = 0
  #full = false
  #ended = false

  constructor(request: ClientRequest) {
    this.#request = request
    ;(request as { [kHeld]?: HeldBody })[kHeld] = this
    const writing = request as unknown as Writing
    for (const method of METHODS) {
      if (Object.hasOwn(request, method)) this.#own.set(method, writing[method])
      this.#below.set(method, writing[method])
      const held = (...args: unknown[]) => this.#hold(method, args)
      this.#held.set(method, held)
      writing[method] = held
    }
  }

  #hold(method: Method, args: unknown[]): unknown {
    const [chunk, encoding] = args
    // Node has to refuse a bad chunk at once.
    if (this.#calls === undefined || this.#request.destroyed || !isAccepted(method, chunk)) {
      return this.#pass(method, args)
    }
    this.#calls.push([method, args])
    if (method === 'flushHeaders') return undefined
    if (method === 'end') {
      this.#ended = true
      return this.#request
    }
    this.#length += Buffer.byteLength(chunk as string, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8')
    const room = this.#length < this.#request.writableHighWaterMark
    if (!room) this.#full = true
    return room
  }

  release(): void {
    const calls = this.#calls ?? []
    this.#calls = undefined
    const writing = this.#request as unknown as Writing
    for (const method of METHODS) {
      // A wrapper that the application has put around the method since stays in front.
      if (writing[method] !== this.#held.get(method)) continue
      if (this.#own.has(method)) writing[method] = this.#own.get(method) as Writing[Method]
      else delete (writing as Partial<Writing>)[method]
    }
    // The caller aborted. Node, too, drops what waits for a socket then.
    if (this.#request.destroyed) return
    let room: unknown = true
    for (const [method, args] of calls) {
      const result = this.#pass(method, args)
      if (method === 'write') room = result
    }
    // Node emits `drain` only when its own answer was that the buffer is full.
    if (this.#full && !this.#ended && room === true) process.nextTick(drained, this.#request)
  }

  #pass(method: Method, args: unknown[]): unknown {
    return Reflect.apply(this.#below.get(method)!, this.#request, args)
  }
}

function isAccepted(method: Method, chunk: unknown): boolean {
  if (method === 'flushHeaders' || typeof chunk === 'string' || chunk instanceof Uint8Array) return true
  return method === 'end' && (chunk === undefined || chunk === null || typeof chunk === 'function')
}

function drained(request: ClientRequest): void {
  if (!request.destroyed) request.emit('drain')
}
