import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { Call, Kept } from './call.js'
import { originText } from './target.js'

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
