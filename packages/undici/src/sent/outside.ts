import {
  type CallInfo,
  channels,
  duringCall,
  type Lane,
  leavesCarriersUnread,
  parseHostHeader,
  publishEgress,
} from '@laneway/core'
import { type Call, doneOptions, infoOf } from '../call/call.js'
import type { Target } from '../call/target.js'
import type { LaneRoute } from '../capture.js'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import { headerValues, type PlainHeaders, sentHeaders } from './headers.js'

/** To a host that is no service: where it always went. */
export function sendOutside(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  target: Target | undefined,
  handler: DispatchHandler,
): boolean {
  const copy = doneOptions(options, call)
  const lane = channels.egress.hasSubscribers
    ? toldOutside(route, call, options, headers, target)
    : laneOutside(route, call, headers, target)
  // Only a process that leaves carriers unread has to know the scope of a request without a lane.
  const inScope = lane !== undefined || (leavesCarriersUnread() && isInScope(route, headers, target))
  copy.headers = sentHeaders(headers, route.settings, lane, undefined, inScope)
  return route.send(copy, handler)
}

/** The lane that a host which is no service may see. */
export function laneOutside(
  route: LaneRoute,
  call: Call,
  headers: PlainHeaders,
  target: Target | undefined,
): Lane | undefined {
  const { lane } = call
  if (lane === undefined || target === undefined || route.unix) return undefined
  const { scope, keepHandSet } = route.settings
  const { hostname } = target
  if (isInScope(route, headers, target)) {
    publishEgress(hostname, lane, 'forwarded')
    return lane
  }
  if (keepHandSet && call.handSet && call.hop === 0 && !call.redirected && !scope.forbids(hostname)) return lane
  scope.blocked(hostname, lane)
  return undefined
}

function isInScope(route: LaneRoute, headers: PlainHeaders, target: Target | undefined): boolean {
  if (target === undefined || route.unix) return false
  return route.settings.scope.includes(target.hostname) && hostHeaderInScope(route, headers)
}

/** A `Host` set by hand names the real target when the origin is a proxy. One that cannot be read is in no scope. */
function hostHeaderInScope(route: LaneRoute, headers: PlainHeaders): boolean {
  const host = headerValues(headers, 'host')
  if (host === undefined) return true
  const named = typeof host === 'string' ? parseHostHeader(host) : undefined
  return named !== undefined && route.settings.scope.includes(named.name)
}

/** Tells subscribers whether a tag goes out to a service. */
export function publishHop(host: string, lane: Lane | undefined, call: CallInfo): void {
  duringCall(call, () => publishEgress(host, lane, lane === undefined ? 'untagged' : 'forwarded'))
}

/** Of its own, because a closure costs its function something whenever that is called. */
function toldOutside(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  target: Target | undefined,
): Lane | undefined {
  return duringCall(infoOf(call, options), () => laneOutside(route, call, headers, target))
}
