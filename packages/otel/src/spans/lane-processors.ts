import { BASE_TAG, channels, type IngressEvent, ownLane } from '@laneway/core'
import { type Context, context } from '@opentelemetry/api'
import { effectiveLane, laneOf, requestSpans } from '../context/lane-context.js'
import { INSTANCE_LANE_ATTRIBUTE, LANE_ATTRIBUTE } from './attributes.js'

interface AttributeHolder {
  setAttribute(key: string, value: string): unknown
}

/** A span of the SDK, as far as it is looked at. */
interface StartedSpan extends AttributeHolder {
  readonly instrumentationScope?: { readonly name: string }
}

/**
 * Starts its spans in whatever context a pooled request is sent from, which may be another request's: the lane comes from
 * the request itself, by the hooks of `createLaneHooks`.
 */
const WRONG_CONTEXT = '@opentelemetry/instrumentation-undici'

/**
 * Sets `laneway.lane` on each span, when it starts, from its context; and on the server span once more when a Laneway
 * ingress has decided, so that a refused tag does not stay on it. Client spans of OpenTelemetry's undici instrumentation
 * are left to `createLaneHooks`. A span processor by shape: it imports no SDK.
 */
export class LaneSpanProcessor {
  readonly #onIngress = ({ lane, stripped, problem }: IngressEvent): void => {
    const active = context.active()
    const refused = stripped || problem !== undefined || laneOf(active) !== undefined
    const label = lane?.header ?? (refused ? BASE_TAG : undefined)
    if (label === undefined) return
    for (const span of requestSpans(active)) span.setAttribute(LANE_ATTRIBUTE, label)
  }

  constructor() {
    channels.ingress.subscribe(this.#onIngress)
  }

  onStart(span: StartedSpan, parentContext: Context): void {
    if (span.instrumentationScope?.name === WRONG_CONTEXT) return
    const lane = effectiveLane(parentContext)
    if (lane !== undefined) span.setAttribute(LANE_ATTRIBUTE, lane.header)
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    channels.ingress.unsubscribe(this.#onIngress)
  }
}

/** Sets `laneway.lane` on each log record, from its context. A log record processor by shape. */
export class LaneLogRecordProcessor {
  onEmit(record: AttributeHolder, recordContext: Context = context.active()): void {
    const lane = effectiveLane(recordContext)
    if (lane !== undefined) record.setAttribute(LANE_ATTRIBUTE, lane.header)
  }

  enabled(): boolean {
    return true
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/**
 * Resource attributes that say to which lane this instance belongs; empty for base.
 *
 * @throws LanewayError `LANEWAY_INVALID_TAG` when the environment names no tag
 */
export function laneResourceAttributes(): Record<string, string> {
  const own = ownLane()?.header
  return own === undefined ? {} : { [INSTANCE_LANE_ATTRIBUTE]: own }
}
