import { currentLane, type Lane, laneOfCall } from '@laneway/core'
import { type Call, createCall, decidedOptions, kCall, kDone, keepCall, knownCall } from './call/call.js'
import { endedCall, goesOn, leaveEnded } from './call/continuation.js'
import { originText, targetOfOrigin } from './call/target.js'
import { deliverError } from './dispatcher/deliver.js'
import type { Dispatch, DispatchHandler, DispatchOptions } from './dispatcher/dispatcher.js'
import type { EndpointPools } from './dispatcher/endpoint-pools.js'
import { accepts, type Generation, mismatch } from './dispatcher/generation.js'
import type { FindMock } from './mock/mocks.js'
import type { EgressSettings } from './options.js'
import { RedirectFollower, type Redirections } from './redirect/redirect-follower.js'
import { isRedirectHop } from './redirect/redirect-memory.js'
import { exchangeFor, sendHop } from './resolve.js'
import { headerValues, type PlainHeaders, plainHeaders, withHeaderInShape } from './sent/headers.js'

/** Where requests of one dispatcher go, and by which rules. */
export interface LaneRoute {
  readonly settings: EgressSettings
  readonly generation: Generation
  /** The dispatcher itself: for hosts that are not resolved. */
  readonly send: Dispatch
  /** For chosen endpoints, past any proxy; `undefined` when the dispatcher cannot be steered. */
  readonly direct: Dispatch | undefined
  readonly pools: EndpointPools | undefined
  /** Where requests without an origin go: a Client has one of its own. */
  readonly origin: string
  /** The connections go to a unix socket: nothing is resolved or tagged. */
  readonly unix: boolean
  /** Responses say from the start that they depend on the lane; else from the first lane on, and those of services. */
  readonly varies: boolean
  /** The dispatcher hands on to another one that resolves. */
  readonly passes: boolean
  /** What undici 6 follows below, unless a request says how many; else 0. */
  readonly redirections: Redirections
  /** Finds the mock of an origin; `undefined` where no mock has been met. */
  readonly mocks: () => FindMock | undefined
  /** Of a preload: a call for which deciding failed goes on without Laneway, and this is told why. */
  readonly onFault?: (error: unknown) => void
}

/** Capture and resolve in one step, for a dispatcher without interceptors in between. */
export function laneDispatch(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (isDone(options, handler)) return route.send(options, handler)
  // Decided further out, by interceptors of a dispatcher that hands on to this one.
  if (options[kCall] !== undefined) return resolveLane(route, options, handler)
  if (!accepts(route.generation, handler)) return refuseHandler(route, handler)
  const ended = endedCall()
  return ended === undefined
    ? dispatchInLane(route, options, handler, undefined)
    : leaveEnded(dispatchInLane, route, options, handler, ended)
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
  const call = callOf(route, options, headers, handler, ended)
  return sendHop(route, call, options, headers, handler, true)
}

/** How many redirects undici 6 would follow below. What is no number is left to undici, which refuses it. */
function redirectionsOfCall(route: LaneRoute, options: DispatchOptions): Redirections {
  const { redirections, generation } = route
  const asked = options['maxRedirections']
  if (asked === undefined || generation.modern) return redirections
  return typeof asked === 'number' && asked > 0 && Number.isInteger(asked) ? asked : 0
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
    : leaveEnded(captureInLane, route, next, options, handler, ended)
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
    const call = callOf(route, options, headers, handler, ended)
    copy = decidedOptions(options, call)
    copy.headers = withHeaderInShape(options.headers, headers, route.settings.header, call.lane?.header)
    const root = exchangeFor(route, handler, call, true, undefined, true)
    call.root = root
    exchange = root
  } catch (error) {
    if (route.onFault === undefined) throw error
    route.onFault(error)
    return next(options, handler)
  }
  return next(copy, exchange)
}

/** The innermost step, once per hop and attempt. */
export function resolveLane(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (route.passes || isDone(options, handler)) return route.send(options, handler)
  const redirections = redirectionsOfCall(route, options)
  if (redirections === 0) return resolveHop(route, options, handler)
  const own: DispatchOptions = { ...options, throwOnMaxRedirect: false }
  if (redirections !== 'hidden') own['maxRedirections'] = 0
  const next: Dispatch = (hop, follower) => resolveHop(route, hop, follower)
  const throws = options['throwOnMaxRedirect'] === true
  return resolveHop(route, own, new RedirectFollower(next, redirections, own, handler, throws))
}

function resolveHop(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  const headers = readHeaders(options)
  if (headers === undefined) return route.send(options, handler)
  // An interceptor that made options of its own has lost the symbol; the header above it says the same. Never ambient.
  let call: Call
  try {
    call = (options[kCall] as Call | undefined) ?? decide(route, options, headers, undefined)
  } catch (error) {
    if (route.onFault === undefined) throw error
    route.onFault(error)
    return route.send(options, handler)
  }
  if (accepts(route.generation, handler)) return sendHop(route, call, options, headers, handler, false)
  const error = mismatch(route.generation, handler)
  try {
    deliverError(handler, error)
  } catch {
    // An interceptor of another generation may be unable to pass the error on: the caller is told directly below.
  }
  if (call.root?.settled === false) call.root.fail(error)
  return true
}

/** @returns `undefined` for what undici refuses, in its own words */
function readHeaders(options: DispatchOptions): PlainHeaders | undefined {
  try {
    return plainHeaders(options.headers)
  } catch {
    return undefined
  }
}

export function isDone(options: DispatchOptions, handler: DispatchHandler): boolean {
  // What is no object is left to undici, which says so.
  if (typeof options !== 'object' || options === null || typeof handler !== 'object' || handler === null) return true
  return options[kDone] === true
}

function refuseHandler(route: LaneRoute, handler: DispatchHandler): boolean {
  deliverError(handler, mismatch(route.generation, handler))
  return true
}

/** Decides the lane of a call, in the caller's context, or finds what was decided when this handler was dispatched before. */
function callOf(
  route: LaneRoute,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  ended: Call | undefined,
): Call {
  let call = (options[kCall] as Call | undefined) ?? knownCall(handler, options)
  if (call === undefined) {
    call = decide(route, options, headers, currentLane())
    if (ended !== undefined && goesOn(ended, call, options)) call = ended
  }
  keepCall(handler, call)
  return call
}

function decide(route: LaneRoute, options: DispatchOptions, headers: PlainHeaders, current: Lane | undefined): Call {
  const values = headerValues(headers, route.settings.header)
  if (values === undefined) return createCall(current, undefined, options)
  const lane = laneOfCall(values, undefined, targetOfOrigin(originText(options.origin))?.hostname ?? '')
  const call = createCall(current, lane, options)
  if (route.settings.keepHandSet && call.handSet) {
    call.watched = true
    call.redirected = isRedirectHop(options)
  }
  return call
}
