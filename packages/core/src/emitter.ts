import { slot } from './context-slot.js'
import type { Lane } from './lane.js'

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
  addListener?(event: any, listener: (...args: any[]) => void): unknown
  prependListener?(event: any, listener: (...args: any[]) => void): unknown
}

/**
 * Makes the listeners of an emitter run in a lane, whoever emits. Without this a listener runs in the context of the
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
  emitter[kEmit] = emitter.emit
  emitter.emit = laneEmit
}

/**
 * Like {@link bindEmitter}, but binds when the first listener is added: most requests never get one, and each emit of a
 * bound emitter enters the context (benchmark case `ingress/http/tagged`).
 */
export function bindEmitterOnDemand(emitter: Emitter, lane: Lane | undefined): void {
  const bound: BoundEmitter = emitter
  bound[kBound] = lane
  if (bound[kEmit] !== undefined || bound.on === laneOn) return
  const proto: BoundEmitter = Object.getPrototypeOf(bound)
  if (bound.on !== proto.on || bound.addListener !== proto.on || bound.prependListener !== proto.prependListener) {
    // Somebody else has put methods of their own in front; they may not call ours.
    bindTo(bound, lane)
    return
  }
  // What every way of adding a listener goes through. Three properties cost a fifth of listening to 'newListener'
  // (benchmark case `ingress/express/tagged`).
  bound.on = laneOn
  bound.addListener = laneOn
  bound.prependListener = lanePrependListener
}

function laneOn(this: BoundEmitter, event: unknown, listener: (...args: any[]) => void): unknown {
  return bindNow(this).on.call(this, event, listener)
}

function lanePrependListener(this: BoundEmitter, event: unknown, listener: (...args: any[]) => void): unknown {
  return bindNow(this).prependListener!.call(this, event, listener)
}

/** @returns where the methods of the emitter come from */
function bindNow(emitter: BoundEmitter): BoundEmitter {
  if (emitter[kEmit] === undefined) bindTo(emitter, emitter[kBound])
  // Looked up now: Express changes the prototype of a request behind the middleware of an outer application.
  return Object.getPrototypeOf(emitter)
}

function laneEmit(this: BoundEmitter, ...args: unknown[]): boolean {
  const { storage } = slot
  const lane = this[kBound]
  // Already there, as with most of what user code itself sets off.
  if (storage.getStore() === lane) return emitNow(this, args)
  return storage.run(lane, emitNow, this, args)
}

function emitNow(emitter: BoundEmitter, args: unknown[]): boolean {
  return args.length === 1 ? emitter[kEmit]!(args[0]) : Reflect.apply(emitter[kEmit]!, emitter, args)
}
