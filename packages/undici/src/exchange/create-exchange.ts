import type { Call } from '../call/call.js'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { LaneRoute } from '../dispatcher/route.js'
import type { PlainHeaders } from '../sent/headers.js'
import type { Exchange } from './exchange.js'
import { LegacyExchange } from './legacy-exchange.js'
import { ModernExchange } from './modern-exchange.js'

/** The exchange for a handler, of the handler's own generation. */
export function createExchange(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
): Exchange {
  return isModern(route, handler)
    ? new ModernExchange(route, call, options, headers, handler)
    : new LegacyExchange(route, call, options, headers, handler)
}

/** Whether a handler is called by the methods of undici 7 and 8. */
export function isModern(route: LaneRoute, handler: DispatchHandler): boolean {
  return route.generation.modern && typeof handler.onRequestStart === 'function'
}
