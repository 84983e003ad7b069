import { contextOf, decisionOf, type IngressDecision } from '../ingress/ingress.js'
import type { Lane } from '../lane/lane.js'
import { slot } from './context-slot.js'

/** What is needed of an `EventEmitter`. */
export interface Emitter {
  emit(event: any, ...args: any[]): boolean
  on(event: any, listener: (...args: any[]) => void): unknown
  removeListener(event: any, listener: (...args: any[]) => void): unknown
}

const kBound = Symbol('laneway.bound')
const kEmit = Symbol('laneway.emit')

interface BoundEmitter extends Emitter {
  [kBound]?: Lane | undefined
  [kEmit]?: Emitter['emit']
  readonly req?: unknown
}

/**
 * Makes the listeners of an emitter run in a lane, whatever code emits. Without this a listener runs in the context of the
 * emitting code: for `req.on('end')` that is the socket, shared by all requests of a connection.
 *
 * Binding again replaces the lane.
 *
 * @param lane - defaults to the lane of this moment; a given `undefined` is no lane
 * @returns the emitter
 */
export function bindEmitter<E extends Emitter>(emitter: E, ...lane: [lane?: Lane | undefined]): E {
  bindTo(emitter, lane.length === 0 ? slot.storage.getStore() : lane[0])
  return emitter
}

function bindTo(emitter: BoundEmitter, lane: Lane | undefined): void {
  emitter[kBound] = lane
  if (emitter[kEmit] !== undefined) return
  const { emit } = emitter
  emitter[kEmit] = emit === requestEmit || emit === responseEmit ? Object.getPrototypeOf(emitter).emit : emit
  emitter.emit = laneEmit
}

/**
 * Like {@link bindEmitter} for a request and its response, by one property each: the lane is in the decision that the
 * request carries. Express replaces the prototype of both, and each property added after that costs 1.5 µs on Node 20
 * (benchmark case `hop/express`).
 */
export function bindExchange(decision: IngressDecision, request: Emitter, response: Emitter): void {
  const lane = contextOf(decision)
  const decided = decisionOf(request) === decision
  if (!decided || !takes(request, requestEmit)) bindTo(request, lane)
  const paired = decided && (response as BoundEmitter).req === request && ownsRequest(response)
  if (!paired || !takes(response, responseEmit)) bindTo(response, lane)
}

/** The prototype of the response before. */
let latest: unknown

/**
 * Whether `req` is a property of the response itself: that of an HTTP/2 response is a getter, and knows nothing when the
 * stream is closed. Responses of a class are alike, and `Object.hasOwn` is a quarter of what `laneServer` takes (benchmark
 * case ingress-step/http).
 *
 * @param response - has a `req`
 */
function ownsRequest(response: Emitter): boolean {
  const prototype = Object.getPrototypeOf(response)
  if (prototype === latest) return true
  if (!Object.hasOwn(response, 'req')) return false
  if (!('req' in prototype)) latest = prototype
  return true
}

/**
 * Gives an emitter the property that {@link bindExchange} sets, with the `emit` that it has already, so that binding adds
 * none. For a request that Express has not made its own yet: before it replaces the prototype, a property costs 10 ns.
 */
export function reserveEmit(emitter: Emitter): void {
  if (!Object.hasOwn(emitter, 'emit')) emitter.emit = Object.getPrototypeOf(emitter).emit
}

/** @returns whether the emitter has this `emit` now, without a wrapper of other code around it */
function takes(emitter: Emitter, emit: Emitter['emit']): boolean {
  const now = emitter.emit
  if (now === emit) return true
  if (now !== Object.getPrototypeOf(emitter).emit) return false
  emitter.emit = emit
  return true
}

function requestEmit(this: BoundEmitter, ...args: unknown[]): boolean {
  return emitInLane(this, laneOf(this, this), prototypeOf(this).emit, args)
}

function responseEmit(this: BoundEmitter, ...args: unknown[]): boolean {
  return emitInLane(this, laneOf(this, this.req), prototypeOf(this).emit, args)
}

/** Bound once more, behind a wrapper of other code around the first `emit`: the later lane counts. */
function laneOf(emitter: BoundEmitter, request: unknown): Lane | undefined {
  if (emitter[kEmit] !== undefined) return emitter[kBound]
  const decision = typeof request === 'object' && request !== null ? decisionOf(request) : undefined
  return decision === undefined ? undefined : contextOf(decision)
}

function laneEmit(this: BoundEmitter, ...args: unknown[]): boolean {
  return emitInLane(this, this[kBound], this[kEmit] ?? prototypeOf(this).emit, args)
}

/** Looked up with each event: Express changes the prototype of a request behind the middleware of an outer application. */
function prototypeOf(emitter: Emitter): Emitter {
  return Object.getPrototypeOf(emitter)
}

function emitInLane(emitter: BoundEmitter, lane: Lane | undefined, emit: Emitter['emit'], args: unknown[]): boolean {
  const { requests, storage } = slot
  if (requests !== undefined) return emitInRequest(requests, emitter, lane, emit, args)
  // Already there, as with most of what user code itself sets off.
  if (storage.getStore() === lane) return emitNow(emitter, emit, args)
  return storage.run(lane, emitNow, emitter, emit, args)
}

/** While a log follows requests: what listeners of a request call belongs to that request. */
function emitInRequest(
  requests: NonNullable<typeof slot.requests>,
  emitter: BoundEmitter,
  lane: Lane | undefined,
  emit: Emitter['emit'],
  args: unknown[],
): boolean {
  const paired = emitter.req
  const request = typeof paired === 'object' && paired !== null ? paired : emitter
  const run = () => slot.storage.run(lane, emitNow, emitter, emit, args)
  return decisionOf(request) === undefined ? run() : requests.run(request, run)
}

function emitNow(emitter: Emitter, emit: Emitter['emit'], args: unknown[]): boolean {
  return args.length === 1 ? emit.call(emitter, args[0]) : Reflect.apply(emit, emitter, args)
}
