import { type CallInfo, channels, type Lane } from '@laneway/core'
import { duringCall, leavesCarriersUnread, parseHostHeader, publishEgress, TRACE_HEADER } from '@laneway/core/internal'
import { infoOf } from '../call/call.js'
import type { Attempt } from '../hop/attempt.js'
import { askedTrace, headerValues, sentHeaders } from './headers.js'
import { doneOptions } from './sent-options.js'

/** Sends an attempt whose host is no service: to where it would go without Laneway. */
export function sendOutside(attempt: Attempt): boolean {
  const { route } = attempt
  const copy = doneOptions(attempt.options, attempt.call)
  const lane = channels.egress.hasSubscribers ? laneOutsideWithInfo(attempt) : laneOutside(attempt)
  // Only a process that leaves carriers unread has to know the scope of a request without a lane.
  const inScope = lane !== undefined || (leavesCarriersUnread() && isInScope(attempt))
  const headers = sentHeaders(attempt.headers, route.settings, lane, undefined, inScope)
  copy.headers = headers
  const asked = askedTrace()
  if (asked !== undefined || attempt.call.trace !== undefined) askOutside(attempt, headers, asked)
  return route.send(copy, attempt)
}

/** A host that may see the lane is asked for its path; for another host the question is left out. */
function askOutside(attempt: Attempt, headers: unknown[], asked: unknown): void {
  const { call, target } = attempt
  const inScope = isInScope(attempt)
  const outcome = inScope ? 'forwarded' : 'out-of-scope'
  attempt.traced = call.trace?.call(target?.hostname ?? '', call.lane, outcome, call.attempts)
  attempt.asksPath = attempt.traced !== undefined
  if (inScope && (asked !== undefined || attempt.traced !== undefined)) headers.push(TRACE_HEADER, asked ?? '1')
}

/** The lane that a host which is no service may see. */
export function laneOutside(attempt: Attempt): Lane | undefined {
  const { call, route, target } = attempt
  const { lane } = call
  if (lane === undefined || target === undefined || route.unix) return undefined
  const { scope, keepHandSet } = route.settings
  const { hostname } = target
  if (isInScope(attempt)) {
    publishEgress(hostname, lane, 'forwarded')
    return lane
  }
  if (keepHandSet && call.handSet && call.hop === 0 && !call.redirected && !scope.forbids(hostname)) return lane
  scope.blocked(hostname, lane)
  return undefined
}

/** A function of its own, because a closure slows its function down whenever that is called. */
function laneOutsideWithInfo(attempt: Attempt): Lane | undefined {
  return duringCall(infoOf(attempt.call, attempt.options), () => laneOutside(attempt))
}

function isInScope(attempt: Attempt): boolean {
  const { route, target } = attempt
  if (target === undefined || route.unix) return false
  return route.settings.scope.includes(target.hostname) && isHostHeaderInScope(attempt)
}

/** A `Host` set by hand names the real target when the origin is a proxy. A `Host` that cannot be read is in no scope. */
function isHostHeaderInScope({ headers, route }: Attempt): boolean {
  const host = headerValues(headers, 'host')
  if (host === undefined) return true
  const named = typeof host === 'string' ? parseHostHeader(host) : undefined
  return named !== undefined && route.settings.scope.includes(named.name)
}

/** Publishes whether a tag goes out to a service. */
export function publishHop(host: string, lane: Lane | undefined, call: CallInfo): void {
  duringCall(call, () => publishEgress(host, lane, lane === undefined ? 'untagged' : 'forwarded'))
}
