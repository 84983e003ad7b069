import { channels, currentLane, type Lane, laneOfCall } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import {
  type Call,
  createCall,
  decidedOptions,
  enterHop,
  kCall,
  kDone,
  keepCall,
  knownCall,
  resumedFrom,
} from './call.js'
import { endedCall, goesOn, leaveEnded } from './continuation.js'
import { deliverError } from './deliver.js'
import type { Dispatch, DispatchHandler, DispatchOptions } from './dispatcher.js'
import type { EndpointPools } from './endpoint-pools.js'
import { accepts, type Generation, mismatch } from './generation.js'
import { headerValues, type PlainHeaders, plainHeaders, sentHeaders, withHeader } from './headers.js'
import { LegacyExchange } from './legacy-exchange.js'
import { ModernExchange } from './modern-exchange.js'
import { waitUntilReady } from './not-ready.js'
import type { EgressSettings } from './options.js'
import { isExpectedRedirect } from './redirect-memory.js'
import { refusal, resumeMoved, ServiceHop } from './service-hop.js'
import { aimOf, originText, type Target, targetOfOrigin } from './target.js'

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
  /** The dispatcher hands on to another one that resolves. */
  readonly passes: boolean
}

type Exchange = LegacyExchange | ModernExchange

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
  const headers = plainHeaders(options.headers)
  const call = callOf(route, options, headers, handler, ended)
  return resolve(route, call, options, headers, handler, true)
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
  const headers = plainHeaders(options.headers)
  const call = callOf(route, options, headers, handler, ended)
  const copy = decidedOptions(options, call, false)
  copy.headers = withHeader(headers, route.settings.header, call.lane?.header)
  const exchange = exchangeFor(route, handler, call, true, undefined)
  call.root = exchange
  return next(copy, exchange)
}

/** The innermost step, once per hop and attempt. */
export function resolveLane(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (route.passes || isDone(options, handler)) return route.send(options, handler)
  const headers = plainHeaders(options.headers)
  // An interceptor that made options of its own has lost the symbol; the header above it says the same. Never ambient.
  const call = (options[kCall] as Call | undefined) ?? decide(route, options, headers, undefined)
  if (accepts(route.generation, handler)) return resolve(route, call, options, headers, handler, false)
  const error = mismatch(route.generation, handler)
  try {
    deliverError(handler, error)
  } catch {
    // An interceptor of another generation may be unable to pass the error on: the caller is told directly below.
  }
  if (call.root?.settled === false) call.root.fail(error)
  return true
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
    if (isExpectedRedirect(options)) call.hop = 1
  }
  return call
}

function resolve(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  outermost: boolean,
): boolean {
  enterHop(call, options, headers)
  const { settings, direct } = route
  const { resolver } = settings
  const aim = aimOf(options)
  const target = aim === undefined ? targetOfOrigin(originText(options.origin) || route.origin) : aim.target
  if (resolver !== undefined && direct !== undefined && target !== undefined && aim?.tunnel !== true) {
    const service = resolver.match(target.hostname, target.port, target.secure)
    if (service !== undefined) {
      const copy = decidedOptions(options, call, true)
      if (aim?.path !== undefined) copy.path = aim.path
      copy.headers = sentHeaders(headers, settings, call.lane, target.host)
      const hop = new ServiceHop(
        route.pools,
        resolver,
        direct,
        service,
        call,
        copy,
        target.secure,
        resumedFrom(call, headers),
      )
      const exchange = exchangeFor(route, handler, call, outermost, hop)
      const choice = hop.pick()
      return choice.outcome === 'not-ready'
        ? sendWhenReady(route, resolver, hop, target, options, headers, handler, outermost, exchange)
        : sendToService(route, hop, choice, target, exchange)
    }
  }
  return sendOutside(route, call, options, headers, handler, outermost, target)
}

/** To a host that is no service: where it always went. */
function sendOutside(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  outermost: boolean,
  target: Target | undefined,
): boolean {
  const copy = decidedOptions(options, call, true)
  copy.headers = sentHeaders(headers, route.settings, laneOutside(route, call, headers, target), undefined)
  return route.send(copy, exchangeFor(route, handler, call, outermost, undefined))
}

function sendToService(route: LaneRoute, hop: ServiceHop, choice: Choice, target: Target, exchange: Exchange): boolean {
  const { endpoint } = choice
  const { call } = hop
  if (endpoint === undefined) exchange.fail(refusal(choice, call))
  else if (hop.resumes !== undefined && route.pools?.departedSince(endpoint, call.sourceSeen) === true) {
    exchange.fail(resumeMoved(choice))
  } else {
    publishForwarded(target.hostname, call.lane)
    return hop.send(choice, endpoint, exchange)
  }
  return true
}

function sendWhenReady(
  route: LaneRoute,
  resolver: NonNullable<EgressSettings['resolver']>,
  hop: ServiceHop,
  target: Target,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  outermost: boolean,
  exchange: Exchange,
): boolean {
  const proceed = (error?: unknown) => {
    try {
      // Only now its ports are known, or that no registry has it.
      if (resolver.match(target.hostname, target.port, target.secure) === undefined) {
        sendOutside(route, hop.call, options, headers, handler, outermost, target)
      } else if (error === undefined) sendToService(route, hop, hop.pick(), target, exchange)
      else exchange.fail(error)
    } catch (thrown) {
      exchange.fail(thrown)
    }
  }
  waitUntilReady(resolver, hop.service, handler, exchange instanceof ModernExchange, proceed, error =>
    exchange.fail(error),
  )
  return true
}

/** The lane that a host which is no service may see. */
function laneOutside(
  route: LaneRoute,
  call: Call,
  headers: PlainHeaders,
  target: Target | undefined,
): Lane | undefined {
  const { lane } = call
  if (lane === undefined || target === undefined || route.unix) return undefined
  const { scope, keepHandSet } = route.settings
  const { hostname } = target
  if (scope.includes(hostname) && hostHeaderInScope(route, headers)) {
    publishForwarded(hostname, lane)
    return lane
  }
  if (keepHandSet && call.handSet && call.hop === 0 && !scope.forbids(hostname)) return lane
  scope.blocked(hostname, lane)
  return undefined
}

/** A `Host` set by hand names the real target when the origin is a proxy. */
function hostHeaderInScope(route: LaneRoute, headers: PlainHeaders): boolean {
  const host = headerValues(headers, 'host')
  if (host === undefined) return true
  const named = targetOfOrigin(`http://${host}`)
  return named !== undefined && route.settings.scope.includes(named.hostname)
}

function publishForwarded(host: string, lane: Lane | undefined): void {
  if (lane !== undefined && channels.egress.hasSubscribers) channels.egress.publish({ host, lane, action: 'forwarded' })
}

function exchangeFor(
  route: LaneRoute,
  handler: DispatchHandler,
  call: Call,
  outermost: boolean,
  hop: ServiceHop | undefined,
): Exchange {
  // Below the user's interceptors responses say that they depend on the lane: caches keep them apart by it.
  const vary = outermost ? undefined : route.settings.header
  return route.generation.modern && typeof handler.onRequestStart === 'function'
    ? new ModernExchange(handler, call, outermost, hop, vary)
    : new LegacyExchange(handler, call, outermost, hop, vary)
}
