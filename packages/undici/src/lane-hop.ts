import { channels, type Lane, lanesSeen } from '@laneway/core'
import type { Choice, LaneResolver } from '@laneway/discovery'
import { type Call, decidedOptions, enterHop, resumedFrom } from './call.js'
import type { DispatchHandler, DispatchOptions } from './dispatcher.js'
import { cameWithHost, headerValues, type PlainHeaders, sentHeaders } from './headers.js'
import type { LaneRoute } from './lane-route.js'
import { LegacyExchange } from './legacy-exchange.js'
import { ModernExchange } from './modern-exchange.js'
import { waitUntilReady } from './not-ready.js'
import { refusal, resumeMoved, ServiceHop } from './service-hop.js'
import { aimOf, originText, type Target, targetOfOrigin } from './target.js'

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
      // What undici would derive from `Host`, by a check for addresses that costs 2 µs.
      if (!cameWithHost()) copy.servername ??= target.servername
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
  resolver: LaneResolver,
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

/** Stands between undici and the handler of a dispatch. */
export function exchangeFor(
  route: LaneRoute,
  handler: DispatchHandler,
  call: Call,
  outermost: boolean,
  hop: ServiceHop | undefined,
): Exchange {
  // Below the user's interceptors responses say that they depend on the lane: caches keep them apart by it.
  const marked = !outermost && (route.varies || hop !== undefined || lanesSeen())
  const vary = marked ? route.settings.header : undefined
  return route.generation.modern && typeof handler.onRequestStart === 'function'
    ? new ModernExchange(handler, call, outermost, hop, vary)
    : new LegacyExchange(handler, call, outermost, hop, vary)
}
