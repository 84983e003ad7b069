import { kLane } from '@laneway/core'
import { type Call, kCall } from '../call/call.js'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import { boundBody } from './bound-body.js'

/** Marks options that Laneway has finished, for the dispatchers below, of this copy of the package or another. */
export const kDone: unique symbol = Symbol.for('laneway.undici.done.v1') as never

/** Whether a dispatch is none of Laneway's business any more. */
export function isDone(options: DispatchOptions, handler: DispatchHandler): boolean {
  // undici refuses values that are no objects, in its own words.
  if (typeof options !== 'object' || options === null || typeof handler !== 'object' || handler === null) return true
  return options[kDone] === true
}

/**
 * V8 of Node 20 takes 2 µs for each key that is added to a spread object. Later versions copy a spread at half the price when
 * no key stands in front of it (benchmark case egress/undici/inject).
 */
const KEYS_IN_FRONT = Number.parseInt(process.versions.v8, 10) < 12

/** A copy of the options that carries the decision; Laneway never writes to the caller's object. */
export function decidedOptions(options: DispatchOptions, call: Call): DispatchOptions {
  const copy: DispatchOptions = KEYS_IN_FRONT
    ? { [kCall]: call, [kLane]: call.lane, headers: undefined, ...options }
    : { ...options }
  copy[kCall] = call
  copy[kLane] = call.lane
  return copy
}

/** The copy of the options for the dispatcher below Laneway. */
export function doneOptions(options: DispatchOptions, call: Call): DispatchOptions {
  const copy: DispatchOptions = KEYS_IN_FRONT
    ? { [kLane]: call.lane, [kDone]: true, headers: undefined, servername: undefined, ...options }
    : { ...options }
  copy[kLane] = call.lane
  copy[kDone] = true
  const { body } = copy
  if (typeof body === 'object' && body !== null) copy.body = boundBody(body, call.ambient)
  return copy
}
