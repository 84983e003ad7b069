import { currentLane, type Lane } from '@laneway/core'
import { laneOfContext } from '@laneway/core/internal'
import { type Context, context, createContextKey, type Span, trace } from '@opentelemetry/api'

/** Registered by name, so that two copies of this package use one key. */
const LANE_KEY = createContextKey('laneway.lane.v1')
/** Of `@opentelemetry/core`; keys are `Symbol.for`, so the API alone reads them. */
const RPC_KEY = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')
const SUPPRESSED_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/**
 * Lanes of the requests that an instrumentation has made a context for, by what it keeps there. It binds listeners of
 * request and response to that context, which has no lane of its own.
 */
const ofRequest = new WeakMap<object, Lane>()

/** What is kept in an OpenTelemetry context: a lane, with its trace if it has one; `undefined` for none. Never throws. */
export function keptIn(context: Context): Lane | undefined {
  const lane = context.getValue(LANE_KEY) as Lane | null | undefined
  if (lane !== undefined) return lane ?? undefined
  const request = context.getValue(RPC_KEY)
  return typeof request === 'object' && request !== null ? ofRequest.get(request) : undefined
}

/** The lane of an OpenTelemetry context, `undefined` for none. Never throws. */
export function laneOf(context: Context): Lane | undefined {
  return laneOfContext(keptIn(context))
}

/** The server request whose context this is runs in that lane, in every context that descends from its first one. */
export function adoptLane(context: Context, lane: Lane | undefined): void {
  const request = context.getValue(RPC_KEY)
  if (typeof request !== 'object' || request === null) return
  if (lane === undefined) ofRequest.delete(request)
  else ofRequest.set(request, lane)
}

/** The lane of a context, also where the lane is kept outside OpenTelemetry, or is the instance's own. */
export function effectiveLane(of: Context): Lane | undefined {
  return laneOf(of) ?? (of === context.active() ? currentLane() : undefined)
}

/** A context in a lane; the baggage stays as it is. */
export function contextInLane(context: Context, lane: Lane | undefined): Context {
  // `null` says "no lane", and hides the lane of the request.
  return context.setValue(LANE_KEY, lane ?? null)
}

/** Whether tracing is suppressed for this work, as for the calls of OpenTelemetry's exporters. */
export function isSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESSED_KEY) === true
}

/** The active span, and that of the server request when a framework's instrumentation has put its own in front. */
export function requestSpans(context: Context): Set<Span> {
  const spans = new Set<Span>()
  const active = trace.getSpan(context)
  if (active !== undefined) spans.add(active)
  const { span } = Object(context.getValue(RPC_KEY)) as { span?: Span }
  if (span !== undefined) spans.add(span)
  return spans
}
