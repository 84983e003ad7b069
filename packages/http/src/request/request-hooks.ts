import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { currentLane, type Lane, runInLane } from '@laneway/core'
import { classOf, type OutgoingRequest } from '../node-internals.js'
import { holdsBody, releaseBody } from './held-body.js'
import { keepOutOfCache } from './lane-dependent.js'

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
  /** The lane of the code that made the request: whatever is called for the request runs in it. */
  readonly caller: Lane | undefined
  /** Whether a cache above the agent could give the answer of this request to code in another lane. */
  isCached(): boolean
  readonly watcher: RequestWatcher | undefined
  /** An `emit` that the request had of its own. */
  readonly emit: ClientRequest['emit'] | undefined
}

const kHooks = Symbol('laneway.hooks')

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

/** Notifies the watcher when the caller aborts. */
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
  const now = currentLane()
  if (now === lane || now?.header === lane?.header) return Reflect.apply(fn, self, args)
  return runInLane(lane, Reflect.apply, fn, self, args)
}

function emit(this: Hooked<OutgoingRequest>, ...args: unknown[]): boolean {
  const hooks = this[kHooks]
  switch (args[0]) {
    case 'response':
      answered(hooks, args[1] as IncomingMessage)
      break
    case 'timeout':
      hooks.watcher?.timingOut()
      break
    case 'error':
    case 'close':
      // Before the caller hears of the error and tries again.
      hooks.watcher?.ended()
  }
  const heard = inLane(hooks.caller, hooks.emit ?? classOf(this).emit, this, args) as boolean
  if (args[0] === 'socket' && holdsBody(this)) inLane(hooks.caller, releaseBody, undefined, [this])
  return heard
}

function answered(hooks: RequestHooks, response: IncomingMessage): void {
  if (hooks.isCached()) keepOutOfCache(response)
  const bound = response as unknown as Hooked<{ emit: unknown }>
  bound[kHooks] = hooks
  if (!Object.hasOwn(response, 'emit')) {
    bound.emit = emitOfResponse
    return
  }
  const { emit: own } = response
  bound.emit = function emitBound(this: unknown, ...args: unknown[]): boolean {
    return inLane(hooks.caller, own, this, args) as boolean
  }
}

function emitOfResponse(this: Hooked<IncomingMessage>, ...args: unknown[]): boolean {
  const { emit } = Object.getPrototypeOf(this) as IncomingMessage
  return inLane(this[kHooks].caller, emit, this, args) as boolean
}

function onSocket(this: Hooked<OutgoingRequest>, socket: Socket | undefined, error?: Error): void {
  const { caller, watcher } = this[kHooks]
  inLane(caller, watcher === undefined ? classOf(this).onSocket : received, this, [socket, error])
}

function received(this: Hooked<OutgoingRequest>, socket: Socket | undefined, error?: Error): void {
  this[kHooks].watcher!.received(socket, error)
}

function destroy(this: Hooked<OutgoingRequest>, error?: Error): ClientRequest {
  const first = !this.destroyed
  classOf(this).destroy.call(this, error)
  if (first) this[kHooks].watcher?.cancel(error)
  return this
}
