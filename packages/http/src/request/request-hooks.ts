import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Lane, runInLane } from '@laneway/core'
import { contextNow, laneOfContext, PATH_HEADER, removeHeader, type TracedCall } from '@laneway/core/internal'
import { classOf, type HopOptions, type OutgoingRequest } from '../node-internals.js'

/** Notified of what happens to a request to a service. */
export interface RequestWatcher {
  readonly service: string
  /** The endpoint that was chosen last. */
  readonly address: string | undefined
  /** The agent has a socket for the request, or the reason why it has none. */
  received(socket: Socket | undefined, error: Error | null | undefined): void
  /** The caller aborted. */
  cancel(error: unknown): void
  /** The head is about to be written, and its tag is final. */
  rendering(): void
  /** The listeners of `timeout` run next. */
  timingOut(): void
  /** The request is over, one way or another; may come twice. */
  ended(): void
}

/** What the hooks of a request need to know. */
export interface RequestHooks {
  /** What is kept for the code that made the request, its lane above all: whatever is called for the request runs in it. */
  readonly caller: Lane | undefined
  /** Whether a cache above the agent could give the answer of this request to code in another lane. */
  isCached(): boolean
  readonly watcher: RequestWatcher | undefined
  /** The request is traced, and its target is asked for its path unless it is out of scope. */
  readonly asksPath: boolean
  /** Records the attempt that goes on now, for a traced request; `undefined` when the path has no room for it. */
  readonly traced: TracedCall | undefined
  /** An `emit` that the request had of its own. */
  readonly emit: ClientRequest['emit'] | undefined
}

const kHooks = Symbol('laneway.hooks')

/** What a caller wrote into a request that has no socket yet, see `held-body.ts`. */
export const kHeld: unique symbol = Symbol('laneway.held')

/** Writes what was held. */
export interface Held {
  release(): void
}

type Hooked<T> = T & { [kHooks]: RequestHooks }

/** The hooks of a request, if it has any. */
export function hooksOf(request: ClientRequest): RequestHooks | undefined {
  return (request as Partial<Hooked<ClientRequest>>)[kHooks]
}

/** The `emit` that a request has of its own, other than the one of this file. */
export function ownEmit(request: ClientRequest): ClientRequest['emit'] | undefined {
  const hooks = hooksOf(request)
  // The `emit` that stands there now leads to the one of this file, perhaps through a wrapper.
  if (hooks !== undefined) return hooks.emit
  return Object.hasOwn(request, 'emit') ? request.emit : undefined
}

/**
 * Binds a request to the lane of its caller: its events, those of its response, and what Node does for it later. Node opens
 * the socket of a waiting request in the context of another request. Timers and errors of a socket come in the context of the
 * request that opened it.
 */
export function hookRequest(request: ClientRequest, hooks: RequestHooks): void {
  const hooked = request as unknown as Hooked<{ emit: unknown; onSocket: unknown }>
  const first = hooked[kHooks] === undefined
  hooked[kHooks] = hooks
  // A wrapper that the application has put around it since stays in front.
  if (first) hooked.emit = emit
  hooked.onSocket = onSocket
}

/** Notifies the watcher, and the trace, when the caller aborts. */
export function hookDestroy(request: ClientRequest): void {
  ;(request as unknown as { destroy: unknown }).destroy = destroy
}

/** Calls a function in a lane; directly when that is the lane already. */
export function inLane<A extends unknown[]>(
  lane: Lane | undefined,
  fn: (...args: any[]) => unknown,
  self: unknown,
  args: A,
): unknown {
  if (isIn(lane)) return Reflect.apply(fn, self, args)
  return runInLane(lane, Reflect.apply, fn, self, args)
}

function isIn(lane: Lane | undefined): boolean {
  const now = contextNow()
  return now === lane || isSame(now, lane)
}

/** Another copy of core may have made one of them. What carries a trace is the same as itself only. */
function isSame(now: Lane | undefined, lane: Lane | undefined): boolean {
  return now?.header === lane?.header && laneOfContext(now) === now && laneOfContext(lane) === lane
}

function emit(this: Hooked<OutgoingRequest>, ...args: unknown[]): boolean {
  const hooks = this[kHooks]
  switch (args[0]) {
    case 'response':
      answered(hooks, args[1] as IncomingMessage)
      break
    case 'upgrade':
    case 'connect':
      hooks.traced?.responded((args[1] as IncomingMessage).statusCode ?? 0, undefined)
      break
    case 'timeout':
      hooks.watcher?.timingOut()
      break
    case 'error':
    case 'close':
      // Before the caller hears of the error and tries again.
      hooks.watcher?.ended()
      hooks.traced?.failed(args[0] === 'close' ? 'aborted' : failureOf(args[1]))
  }
  const heard = inLane(hooks.caller, hooks.emit ?? classOf(this).emit, this, args) as boolean
  // The listeners of `socket` have run.
  if (args[0] === 'socket') {
    const held = (this as { [kHeld]?: Held })[kHeld]
    if (held !== undefined) inLane(hooks.caller, held.release, held, [])
  }
  return heard
}

function answered(hooks: RequestHooks, response: IncomingMessage): void {
  if (hooks.isCached()) keepOutOfCache(response)
  if (hooks.asksPath) readPath(hooks.traced, response)
  const bound = response as unknown as Hooked<{ emit: unknown }>
  bound[kHooks] = hooks
  if (!Object.hasOwn(response, 'emit')) {
    bound.emit = emitOfResponse
    return
  }
  bindOwnEmit(hooks, response)
}

/** A function of its own: a function with a closure in it costs an object at each call, whether or not the closure is made. */
function bindOwnEmit({ caller }: RequestHooks, response: IncomingMessage): void {
  const { emit: own } = response
  ;(response as { emit: unknown }).emit = function emitBound(this: unknown, ...args: unknown[]): boolean {
    return inLane(caller, own, this, args) as boolean
  }
}

/** The caller sees the answer as it is without the trace. */
function readPath(traced: TracedCall | undefined, response: IncomingMessage): void {
  const path = response.headers[PATH_HEADER]
  traced?.responded(response.statusCode ?? 0, path)
  if (path !== undefined && traced?.asked !== false) removeHeader(response, PATH_HEADER)
}

function failureOf(error: unknown): string {
  const { name, syscall } = Object(error) as { name?: unknown; syscall?: unknown }
  if (name === 'AbortError') return 'aborted'
  return syscall === 'connect' || syscall === 'getaddrinfo' ? 'connect-error' : 'error'
}

function emitOfResponse(this: Hooked<IncomingMessage>, ...args: unknown[]): boolean {
  const { emit } = Object.getPrototypeOf(this) as IncomingMessage
  return inLane(this[kHooks].caller, emit, this, args) as boolean
}

function onSocket(this: Hooked<OutgoingRequest>, socket: Socket | undefined, error?: Error): void {
  const { caller, watcher } = this[kHooks]
  const method = watcher === undefined ? classOf(this).onSocket : received
  if (isIn(caller)) method.call(this, socket, error)
  else runInLane(caller, callWithSocket, method, this, socket, error)
}

function callWithSocket(
  method: typeof received,
  request: Hooked<OutgoingRequest>,
  socket: Socket | undefined,
  error: Error | undefined,
): void {
  method.call(request, socket, error)
}

function received(this: Hooked<OutgoingRequest>, socket: Socket | undefined, error?: Error): void {
  this[kHooks].watcher!.received(socket, error)
}

function destroy(this: Hooked<OutgoingRequest>, error?: Error): ClientRequest {
  const first = !this.destroyed
  classOf(this).destroy.call(this, error)
  if (!first) return this
  const { watcher, traced } = this[kHooks]
  watcher?.cancel(error)
  // The caller may answer before the request hears of its end.
  traced?.failed(error === undefined ? 'aborted' : failureOf(error))
  return this
}

/**
 * Whether a cache above the agent reads the response of a request: `cacheable-request`, which got uses for `cache`, passes
 * its own options on. Such a cache does not see the lane, so it would give the answer of one lane to another.
 */
export function isReadByCache({ cache, strictTtl, automaticFailover }: HopOptions): boolean {
  return Boolean(cache) && (strictTtl !== undefined || automaticFailover !== undefined)
}

/** The cache makes it of a response, and asks it whether the response may be kept. */
interface CachePolicy {
  storable?: unknown
}

/**
 * Keeps a response out of that cache, because it is good for its own request only. The cache puts its policy on the response,
 * and Laneway makes that policy refuse. The headers stay as the server sent them, for code that passes them on.
 */
function keepOutOfCache(response: IncomingMessage): void {
  // Confirms what the cache kept before the first lane. The cache merges these headers: `Vary: *` (RFC 9111, section 4.1).
  if (response.statusCode === 304) {
    response.headers.vary = '*'
    return
  }
  Object.defineProperty(response, 'cachePolicy', {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set(this: IncomingMessage, policy: CachePolicy) {
      if (typeof policy?.storable === 'function') policy.storable = () => false
      Object.defineProperty(this, 'cachePolicy', {
        value: policy,
        configurable: true,
        enumerable: true,
        writable: true,
      })
    },
  })
}
