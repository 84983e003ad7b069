import { BASE_TAG, channels, type DecisionEvent, kLane, type Lane, type MessageEvent } from '@laneway/core'
import { headerName, readOptions } from '@laneway/core/internal'
import { context, type Span, trace } from '@opentelemetry/api'
import { LANE_ATTRIBUTE, OUTCOME_ATTRIBUTE, SERVED_ATTRIBUTE } from './attributes.js'
import { DecisionMemory } from './decision-memory.js'
import { resolvedAddress, undiciHeader } from './undici-request.js'

/** Options of {@link createLaneHooks}. */
export interface LaneHooksOptions {
  /** The header that carries the lane. @default 'x-mse-tag' */
  header?: string
}

/** Configuration for OpenTelemetry's HTTP instrumentations. */
export interface LaneHooks {
  /** For `new HttpInstrumentation(hooks.http)`. */
  readonly http: { requestHook(span: Span, request: object): void }
  /** For `new UndiciInstrumentation(hooks.undici)`. */
  readonly undici: { requestHook(span: Span, request: object): void }
  /** Stops listening to decisions and messages. */
  close(): void
}

/**
 * Creates the request hooks that set `laneway.lane`, `laneway.served` and `laneway.outcome` on client spans.
 *
 * A request of `http` is decided in the context of its span. One of undici has its span only when it is sent, in whatever
 * context that happens: there the lane is read from the request, and served and outcome are those of the last decision
 * for this endpoint and lane. Requests that fail before they are sent have no span of undici's.
 *
 * The span that is active where a message is received gets `laneway.lane` and the message's `laneway.outcome`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; the hooks never throw
 */
export function createLaneHooks(options: LaneHooksOptions = {}): LaneHooks {
  const { header } = readOptions('createLaneHooks', options, { header: headerName })
  const memory = new DecisionMemory()
  /** Spans of requests of `http`. */
  const hops = new WeakSet<Span>()
  /** The last decision in the context of a span that is not known as one of `http`: it is made before the hook runs. */
  const early = new WeakMap<Span, DecisionEvent>()

  function onDecision(decision: DecisionEvent): void {
    const span = trace.getSpan(context.active())
    if (span !== undefined && hops.has(span)) describeDecision(span, decision)
    else {
      if (span !== undefined) early.set(span, decision)
      memory.keep(decision)
    }
  }
  channels.decision.subscribe(onDecision)
  channels.message.subscribe(describeMessage)

  return {
    http: {
      requestHook(span, request) {
        // Incoming requests come here, too.
        if (!('getHeader' in request)) return
        hops.add(span)
        const decision = early.get(span)
        if (decision !== undefined) describeDecision(span, decision)
        const lane = (request as { [kLane]?: Lane | null })[kLane]
        if (lane !== undefined && lane !== null) span.setAttribute(LANE_ATTRIBUTE, lane.header)
      },
    },
    undici: {
      requestHook(span, request) {
        const lane = undiciHeader(request, header)
        if (lane !== undefined) span.setAttribute(LANE_ATTRIBUTE, lane)
        const address = resolvedAddress(request)
        const decision = address === undefined ? undefined : memory.last(address, lane)
        if (decision !== undefined) describeDecision(span, decision)
      },
    },
    close() {
      channels.decision.unsubscribe(onDecision)
      channels.message.unsubscribe(describeMessage)
    },
  }
}

/** A message is reported in the context of its consumer's span, where an instrumentation has made one. */
function describeMessage({ lane, outcome }: MessageEvent): void {
  const span = trace.getSpan(context.active())
  if (span?.isRecording() !== true) return
  if (lane !== undefined) span.setAttribute(LANE_ATTRIBUTE, lane.header)
  span.setAttribute(OUTCOME_ATTRIBUTE, outcome)
}

function describeDecision(span: Span, decision: DecisionEvent): void {
  span.setAttribute(SERVED_ATTRIBUTE, servedBy(decision))
  span.setAttribute(OUTCOME_ATTRIBUTE, decision.outcome)
}

/** Who served, as an attribute says it. */
export function servedBy({ served, address }: DecisionEvent): string {
  return served ?? (address === undefined ? 'none' : BASE_TAG)
}
