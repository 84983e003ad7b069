import { createHash, timingSafeEqual } from 'node:crypto'
import type { IngressRequest } from '../ingress/request.js'
import { type RequestView, viewOf } from '../ingress/request-view.js'
import type { Lane } from '../lane/lane.js'
import { mayBeCut } from '../wire/carriers.js'
import { TRACE_HEADER } from './lane-path.js'
import { hasLine, removeHeader } from './remove-header.js'
import { Trace } from './trace.js'
import type { TraceSettings } from './trace-options.js'
import { tracedLane, traceOf } from './traced-lane.js'

/** What decides who may ask for a path. */
export interface TraceRules {
  readonly settings: TraceSettings | undefined
  readonly ownLane: string | undefined
  readonly trusts: (request: IngressRequest) => boolean
  /** Whether the rule that decides about a request allows the path. */
  readonly allows: ((request: RequestView) => boolean) | undefined
}

/**
 * Takes the header from a request: user code does not see it, so no handler that passes headers on carries it to a third party.
 *
 * @param by - where the lane came from
 * @returns what is kept for the code of the request; `undefined` without a trace
 */
export function beginTrace(
  rules: TraceRules,
  request: IngressRequest,
  lane: Lane | undefined,
  by: () => string | undefined,
): Lane | undefined {
  const asked = request.headers[TRACE_HEADER]
  const grant = grantOf(rules, request, asked)
  removeHeader(request, TRACE_HEADER)
  if (grant === undefined || rules.settings === undefined) return undefined
  const { ownLane, settings } = rules
  const trace = new Trace({
    service: settings.name,
    ownLane,
    lane: lane?.header,
    by: lane === undefined ? undefined : by(),
    asked: String(asked),
    bare: grant === 'bare',
  })
  return tracedLane(trace, lane)
}

/** Asks again at an ingress further in: what it does not allow ends. @returns what is kept, with the lane of now */
export function continueTrace(
  rules: TraceRules,
  request: IngressRequest,
  context: Lane | undefined,
  lane: Lane | undefined,
): Lane | undefined {
  const trace = traceOf(context)
  if (trace === undefined) return undefined
  const grant = grantOf(rules, request, trace.asked)
  if (grant === undefined) {
    trace.refuse()
    return undefined
  }
  trace.bare = grant === 'bare'
  if (trace.lane !== lane?.header) trace.by = undefined
  trace.lane = lane?.header
  return tracedLane(trace, lane)
}

/** Removes the header from lines that `headers` does not show, where its sender is not trusted: a proxy may pass lines on. */
export function removeHiddenTrace({ trusts }: TraceRules, request: IngressRequest): void {
  if (request.headers[TRACE_HEADER] === undefined && mayBeCut(request) && hasLine(request.rawHeaders, TRACE_HEADER)) {
    if (!trusts(request)) removeHeader(request, TRACE_HEADER)
  }
}

function grantOf(rules: TraceRules, request: IngressRequest, asked: unknown): 'full' | 'bare' | undefined {
  const { settings, trusts, allows } = rules
  if (settings === undefined || typeof asked !== 'string') return undefined
  const hasToken = settings.token !== undefined && isEqual(asked, settings.token)
  if (asked !== '1' && !hasToken) return undefined
  if (trusts(request)) return 'full'
  try {
    if (hasToken || allows?.(viewOf(request)) === true) return settings.addresses ? 'full' : 'bare'
  } catch {
    // Request data never throws.
  }
  return undefined
}

/** In a time that says nothing of the token. */
function isEqual(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
