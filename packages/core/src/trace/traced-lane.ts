import { slot } from '../context/context-slot.js'
import type { Lane } from '../lane/lane.js'
import { BASE_TAG } from '../lane/tag.js'
import type { Trace } from './trace.js'

/** Registered, because another copy of this package may have made the lane. */
const kTraced: unique symbol = Symbol.for('laneway.traced.v1') as never

interface Traced {
  readonly trace: Trace
  /** The lane without the trace. */
  readonly lane: Lane | undefined
}

interface TracedLane extends Lane {
  readonly [kTraced]?: Traced
}

/**
 * A lane that carries a trace, to be kept where the lane of the running code is kept. Whatever keeps code in its lane, such as
 * listeners, queues and connection pools, so keeps it in its trace, and takes other code out of it. Without a lane it looks like base
 * to a copy of this package that knows no traces.
 */
export function tracedLane(trace: Trace, lane: Lane | undefined): Lane {
  slot.traced = true
  const { header, tags } = lane ?? { header: BASE_TAG, tags: [BASE_TAG] }
  const traced = Object.defineProperty({ header, tags }, kTraced, { value: { trace, lane } satisfies Traced })
  return Object.freeze(traced)
}

/** What is kept for the running code: its lane, with the trace if there is one. Adapters enter it again for what they call back. */
export function contextNow(): Lane | undefined {
  return slot.storage.getStore() ?? slot.ownColour
}

/** The lane of what {@link contextNow} returned. */
export function laneOfContext(context: Lane | undefined): Lane | undefined {
  if (slot.traced !== true || context === undefined) return context
  const traced = (context as TracedLane)[kTraced]
  return traced === undefined ? context : (traced.lane ?? slot.ownColour)
}

/** The trace of what {@link contextNow} returned; `undefined` for none, and once its answer has begun. */
export function traceOf(context: Lane | undefined): Trace | undefined {
  if (slot.traced !== true || context === undefined) return undefined
  const trace = (context as TracedLane)[kTraced]?.trace
  return trace?.open === true ? trace : undefined
}

/** Another lane in the trace of the running code, if it has one. */
export function keepingTrace(lane: Lane | undefined): Lane | undefined {
  const trace = traceOf(slot.storage.getStore())
  return trace === undefined ? lane : tracedLane(trace, lane)
}
