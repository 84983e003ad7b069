import { AsyncLocalStorage } from 'node:async_hooks'
import { type Lane, runInLane } from '@laneway/core'
import { contextNow, laneOfCall } from '@laneway/core/internal'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { UndiciSettings } from '../options.js'
import { isRedirectHop } from '../redirect/redirect-memory.js'
import { handSetValues, type PlainHeaders } from '../sent/headers.js'
import { type Call, createCall, type Kept, kCall, originText, targetOfOrigin } from './call.js'

/**
 * Decides the lane of a call in the caller's context, or finds what was decided when this handler was dispatched before.
 *
 * @param ended - the call whose end is being reported to the running code
 */
export function callOf(
  settings: UndiciSettings,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  ended: Call | undefined,
): Call {
  let call = (options[kCall] as Call | undefined) ?? knownCall(handler, options)
  if (call === undefined) {
    call = decide(settings, options, headers, contextNow())
    if (ended !== undefined && continues(ended, call, options)) call = ended
  }
  keepCall(handler, call)
  return call
}

/**
 * Decides the lane of a call: a valid tag that the caller set by hand, else the lane given.
 *
 * @param current - what is kept for the calling code
 */
export function decide(
  settings: UndiciSettings,
  options: DispatchOptions,
  headers: PlainHeaders,
  current: Lane | undefined,
): Call {
  const values = handSetValues(headers, settings)
  if (values === undefined) return createCall(current, undefined, options)
  const lane = laneOfCall(values, undefined, targetOfOrigin(originText(options.origin))?.hostname ?? '')
  const call = createCall(current, lane, options)
  if (settings.keepHandSet && call.handSet) {
    call.watched = true
    call.redirected = isRedirectHop(options)
  }
  return call
}

/**
 * Keeps the call on its handler: a WeakMap costs 2 µs a request, most of it when garbage is collected (benchmark case
 * `hop/fastify`).
 */
const kKept = Symbol('laneway.undici.kept')
/** For handlers that take no properties. */
const keptApart = new WeakMap<DispatchHandler, Kept>()
let anyApart = false

/**
 * The decision that a handler already has. A retry outside Laneway, or a `RetryAgent`, dispatches the same handler again
 * after it failed, from any context; a redirect does so while it is notified of the end.
 */
export function knownCall(handler: DispatchHandler, options: DispatchOptions): Call | undefined {
  const kept = keptOf(handler)
  const call = kept?.call
  if (kept === undefined || call === undefined || kept.shared) return undefined
  if (call.open) {
    kept.shared = true
    kept.call = undefined
    return undefined
  }
  if (call.ending || (call.path === options.path && call.origin === originText(options.origin))) return call
  return undefined
}

/** Notes that a handler is dispatched for a call. */
export function keepCall(handler: DispatchHandler, call: Call): void {
  call.dispatched++
  call.open = true
  const kept = keptOf(handler)
  if (kept === undefined) {
    if (call.handler !== undefined) keepFirst(handler, { handler, call, shared: false })
    else {
      call.handler = handler
      call.call = call
      keepFirst(handler, call)
    }
  } else if (!kept.shared) kept.call = call
}

/** The call of a handler has ended: what the handler dispatches next is a new call. */
export function forgetCall(handler: DispatchHandler): void {
  const kept = keptOf(handler)
  if (kept !== undefined) kept.call = undefined
}

function keptOf(handler: DispatchHandler): Kept | undefined {
  const kept = (handler as { [kKept]?: Kept })[kKept]
  if (kept?.handler === handler) return kept
  return anyApart ? keptApart.get(handler) : undefined
}

function keepFirst(handler: DispatchHandler, kept: Kept): void {
  try {
    ;(handler as { [kKept]?: Kept })[kKept] = kept
  } catch {
    // Frozen. Asking first costs more than the rest of this function (benchmark case egress/undici/inject).
    keptApart.set(handler, kept)
    anyApart = true
  }
}

/** The call whose end is being reported to the running code. */
const ending = new AsyncLocalStorage<Call | undefined>()

/**
 * Reports an end after which something outside may dispatch again: an error, or a status that is no success. A retry or a
 * redirect does so at once or by a timer, in the context of the report. Outside Laneway it may use a handler that Laneway
 * has never seen. So the report runs where the call was made: in the lane of the caller.
 */
export function reportInContext<A extends unknown[]>(call: Call, report: (...args: A) => void, ...args: A): void {
  let reported = false
  try {
    runInLane(call.ambient, () => {
      reported = true
      ending.run(call, report, ...args)
    })
  } catch (error) {
    // A context that fails was reported when the call read it; the end is reported in any case.
    if (reported) throw error
    report(...args)
  }
}

/** The call that the running code may continue. */
export function endedCall(): Call | undefined {
  return ending.getStore()
}

/** Dispatches outside that context, so that new sockets do not hold the ended call. */
export function dispatchAfresh<A extends unknown[]>(dispatch: (...args: A) => boolean, ...args: A): boolean {
  return ending.run(undefined, dispatch, ...args)
}

/**
 * Whether a dispatch continues a call that has ended: to the same target, or while the handler is notified. Then it knows
 * which endpoints failed and which one sent the first part of a body. The lane never comes from the ended call.
 *
 * @param fresh - what context and headers alone would decide
 */
export function continues(ended: Call, fresh: Call, options: DispatchOptions): boolean {
  if (ended.open || ended.lane?.header !== fresh.lane?.header || ended.handSet !== fresh.handSet) return false
  return ended.ending || (ended.path === options.path && ended.origin === originText(options.origin))
}

/**
 * Whether the running code is in the lane of a call already. undici calls back in the context of a socket, which belongs
 * to the request that opened it. Asking first costs a tenth of entering (benchmark case egress/undici/inject).
 *
 * A context that fails was reported when the call read it: then there is nothing to enter.
 */
export function isInLane(lane: Lane | undefined): boolean {
  try {
    return contextNow() === lane
  } catch {
    return true
  }
}

/** Calls a method of an object in a lane, for code that undici itself calls, such as a body that is read. */
export function callInLane<T, A extends unknown[], R>(
  lane: Lane | undefined,
  self: T,
  method: (this: T, ...args: A) => R,
  ...args: A
): R {
  return isInLane(lane)
    ? Reflect.apply(method, self, args)
    : (runInLane(lane, Reflect.apply as never, method, self, args) as R)
}
