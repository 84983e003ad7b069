import { channels, lanesSeen } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import { type Call, doneOptions, enterHop, resumedFrom } from './call/call.js'
import { type Aim, aimOf, originText, type Target, targetOfOrigin } from './call/target.js'
import type { LaneRoute } from './capture.js'
import type { DispatchHandler, DispatchOptions } from './dispatcher/dispatcher.js'
import { LegacyExchange } from './exchange/legacy-exchange.js'
import { ModernExchange } from './exchange/modern-exchange.js'
import { resumeMoved, ServiceHop } from './hop/service-hop.js'
import { waitUntilReady } from './hop/wait-until-ready.js'
import { type Mock, pastMocks, sendToMock } from './mock/mocks.js'
import { cameWithHost, type PlainHeaders, sentHeaders } from './sent/headers.js'
import { publishHop, sendOutside } from './sent/outside.js'

type Exchange = LegacyExchange | ModernExchange

/** Sends one hop or attempt: to an endpoint when its target is a service, else where it always went. */
export function sendHop(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
  outermost: boolean,
): boolean {
  enterHop(call, options, headers)
  const aim = aimOf(options)
  const target = aim === undefined ? targetOfOrigin(originText(options.origin) || route.origin) : aim.target
  let hop: ServiceHop | undefined
  let mock: Mock | undefined
  try {
    mock = route.mocks()?.(options.origin)
    hop = serviceHopFor(route, call, options, headers, aim, target, mock)
  } catch (error) {
    const exchange = exchangeFor(route, handler, call, outermost, undefined)
    if (route.onFault !== undefined) {
      route.onFault(error)
      return sendOutside(route, call, options, headers, target, exchange)
    }
    exchange.fail(error)
    return true
  }
  const exchange = exchangeFor(route, handler, call, outermost, hop)
  if (mock !== undefined) {
    const unmatched = hop && (() => sendResolved(route, hop, handler, exchange))
    return sendToMock(route, call, options, headers, target, mock, exchange, unmatched)
  }
  return hop === undefined
    ? sendOutside(route, call, options, headers, target, exchange)
    : sendResolved(route, hop, handler, exchange)
}

function sendResolved(route: LaneRoute, hop: ServiceHop, handler: DispatchHandler, exchange: Exchange): boolean {
  try {
    const choice = hop.pick()
    return choice.outcome === 'not-ready'
      ? sendWhenReady(route, hop, handler, exchange)
      : sendToService(route, hop, choice, exchange)
  } catch (error) {
    // Of undici, or of the handler.
    if (hop.handedOn || exchange.settled) throw error
    hop.fault(error, exchange)
    return true
  }
}

/** @returns `undefined` when the target is no service, or cannot be reached past the dispatcher's proxy */
function serviceHopFor(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  aim: Aim | undefined,
  target: Target | undefined,
  mock: Mock | undefined,
): ServiceHop | undefined {
  const { settings } = route
  const { resolver } = settings
  if (resolver === undefined || route.direct === undefined || target === undefined || aim?.tunnel === true) {
    return undefined
  }
  const service = resolver.match(target.hostname, target.port, target.secure)
  if (service === undefined) return undefined
  const copy = doneOptions(options, call)
  if (aim?.path !== undefined) copy.path = aim.path
  copy.headers = sentHeaders(headers, settings, call.lane, target.host, true)
  // What undici would derive from `Host`, by a check for addresses that costs 2 µs.
  if (!cameWithHost()) copy.servername ??= target.servername
  return new ServiceHop(
    route,
    resolver,
    mock === undefined ? route.direct : pastMocks(mock),
    service,
    target,
    call,
    copy,
    options,
    headers,
    resumedFrom(call, headers),
  )
}

function sendToService(route: LaneRoute, hop: ServiceHop, choice: Choice, exchange: Exchange): boolean {
  const { endpoint } = choice
  const { call } = hop
  if (endpoint === undefined) exchange.fail(hop.refusal(choice))
  else if (hop.resumes !== undefined && route.pools?.departedSince(endpoint, call.sourceSeen) === true) {
    exchange.fail(resumeMoved(choice))
  } else {
    if (channels.egress.hasSubscribers) publishHop(hop.target.hostname, call.lane, hop.info(choice))
    return hop.send(choice, endpoint, exchange)
  }
  return true
}

function sendWhenReady(route: LaneRoute, hop: ServiceHop, handler: DispatchHandler, exchange: Exchange): boolean {
  const proceed = (error?: unknown) => {
    try {
      // Only now its ports are known, or that no registry has it.
      if (!hop.isService()) hop.leave(exchange)
      else if (error === undefined) sendToService(route, hop, hop.pick(), exchange)
      else exchange.fail(error)
    } catch (thrown) {
      hop.fault(thrown, exchange)
    }
  }
  waitUntilReady(hop, handler, exchange instanceof ModernExchange, proceed, error => exchange.fail(error))
  return true
}

/**
 * Stands between undici and the handler of a dispatch.
 *
 * @param captured - above the user's interceptors
 */
export function exchangeFor(
  route: LaneRoute,
  handler: DispatchHandler,
  call: Call,
  outermost: boolean,
  hop: ServiceHop | undefined,
  captured = false,
): Exchange {
  // Below the user's interceptors responses say that they depend on the lane: caches keep them apart by it.
  const marked = captured || (!outermost && (route.varies || hop !== undefined || lanesSeen()))
  const vary = marked ? route.settings.vary : undefined
  return route.generation.modern && typeof handler.onRequestStart === 'function'
    ? new ModernExchange(handler, call, outermost, hop, vary)
    : new LegacyExchange(handler, call, outermost, hop, vary)
}
