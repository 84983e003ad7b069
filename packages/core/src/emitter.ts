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
  if (bound[kEmit] !== undefined) {
    bound[kBound] = lane
    return
  }
  const waiting = Object.hasOwn(bound, kBound)
  bound[kBound] = lane
  if (!waiting) bound.on('newListener', bindOnFirstListener)
}

function laneEmit(this: BoundEmitter, ...args: unknown[]): boolean {
  return slot.storage.run(this[kBound], Reflect.apply, this[kEmit]!, this, args) as boolean
}

function bindOnFirstListener(this: BoundEmitter): void {
  this.removeListener('newListener', bindOnFirstListener)
  bindTo(this, this[kBound])
}
