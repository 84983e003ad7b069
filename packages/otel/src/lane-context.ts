import { currentLane, type Lane } from '@laneway/core'
import { type Context, context, createContextKey, type Span, trace } from '@opentelemetry/api'

/** Registered by name, so that two copies of this package use one key. */
const LANE_KEY = createContextKey('laneway.lane.v1')
/** Of `@opentelemetry/core`; keys are `Symbol.for`, so the API alone reads them. */
const RPC_KEY = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')
const SUPPRESSED_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** The lane of an OpenTelemetry context, `undefined` for none. Never throws. */
export function laneOf(context: Context): Lane | undefined {
  return context.getValue(LANE_KEY) as Lane | undefined
}

/** The lane of a context, also where the lane is kept outside OpenTelemetry, or is the instance's own. */
export function effectiveLane(of: Context): Lane | undefined {
  return laneOf(of) ?? (of === context.active() ? currentLane() : undefined)
}

/** A context in a lane; the baggage stays as it is. */
export function withLane(context: Context, lane: Lane | undefined): Context {
  return context.setValue(LANE_KEY, lane)
}

/** Whether OpenTelemetry is told to leave this work alone: its exporters call out like that. */
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
