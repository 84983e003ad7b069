import { type Call, kCall } from './call/call.js'
import { dispatchAfresh, endedCall } from './call/continuation.js'
import { callOf } from './call/decide.js'
import type { Dispatch, DispatchHandler, DispatchOptions } from './dispatcher/dispatcher.js'
import { accepts, deliverError, mismatch } from './dispatcher/generation.js'
import type { LaneRoute } from './dispatcher/route.js'
import { createExchange } from './exchange/create-exchange.js'
import { redirectionsOfCall } from './redirect/redirections.js'
import { resolveLane, sendAttempt } from './resolve.js'
import { readHeaders } from './sent/headers.js'
import { decidedOptions, isDone } from './sent/sent-options.js'
import { withHeaderInShape } from './sent/with-header.js'

/** Capture and resolve in one step, for a dispatcher without interceptors in between. */
export function laneDispatch(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (isDone(options, handler)) return route.send(options, handler)
  // Decided further out, by interceptors of a dispatcher that hands on to this one.
  if (options[kCall] !== undefined) return resolveLane(route, options, handler)
  if (!accepts(route.generation, handler)) return refuseHandler(route, handler)
  const ended = endedCall()
  return ended === undefined
    ? dispatchInLane(route, options, handler, undefined)
    : dispatchAfresh(dispatchInLane, route, options, handler, ended)
}

function dispatchInLane(
  route: LaneRoute,
  options: DispatchOptions,
  handler: DispatchHandler,
  ended: Call | undefined,
): boolean {
  if (redirectionsOfCall(route, options) !== 0) {
    const resolve: Dispatch = (hop, follower) => resolveLane(route, hop, follower)
    return captureInLane(route, resolve, options, handler, ended)
  }
  const headers = readHeaders(options)
  if (headers === undefined) return route.send(options, handler)
  const call = callOf(route.settings, options, headers, handler, ended)
  const exchange = createExchange(route, call, options, headers, handler)
  exchange.outermost = true
  return sendAttempt(exchange)
}

/** The outermost step: decides, and writes the tag where the user's interceptors (caches above all) see it. */
export function captureLane(
  route: LaneRoute,
  next: Dispatch,
  options: DispatchOptions,
  handler: DispatchHandler,
): boolean {
  if (isDone(options, handler)) return next(options, handler)
  if (!accepts(route.generation, handler)) return refuseHandler(route, handler)
  const ended = endedCall()
  return ended === undefined
    ? captureInLane(route, next, options, handler, undefined)
    : dispatchAfresh(captureInLane, route, next, options, handler, ended)
}

function captureInLane(
  route: LaneRoute,
  next: Dispatch,
  options: DispatchOptions,
  handler: DispatchHandler,
  ended: Call | undefined,
): boolean {
  let copy: DispatchOptions
  let exchange: DispatchHandler
  try {
    const headers = readHeaders(options)
    if (headers === undefined) return next(options, handler)
    const { settings } = route
    const call = callOf(settings, options, headers, handler, ended)
    copy = decidedOptions(options, call)
    copy.headers = withHeaderInShape(options.headers, headers, settings.header, call.lane?.header)
    const root = createExchange(route, call, options, headers, handler)
    root.outermost = true
    root.vary = settings.vary
    call.root = root
    exchange = root
  } catch (error) {
    if (route.onFault === undefined) throw error
    route.onFault(error)
    return next(options, handler)
  }
  return next(copy, exchange)
}

function refuseHandler(route: LaneRoute, handler: DispatchHandler): boolean {
  deliverError(handler, mismatch(route.generation, handler))
  return true
}
