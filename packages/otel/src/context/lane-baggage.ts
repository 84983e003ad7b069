import type { Lane } from '@laneway/core'
import { BAGGAGE_KEY, isLaneKey } from '@laneway/core/internal'
import { type Baggage, type BaggageEntry, type Context, propagation } from '@opentelemetry/api'

/** A context whose baggage shows the lane, and no other lane. */
export function withLaneBaggage(context: Context, lane: Lane | undefined): Context {
  if (lane === undefined) return withoutLaneBaggage(context)
  const foreign =
    propagation
      .getBaggage(context)
      ?.getAllEntries()
      .filter(([key]) => !isLaneKey(key)) ?? []
  return propagation.setBaggage(context, laneFirst({ value: lane.header }, foreign))
}

/** A context without our baggage members, as any reader of the wire would name them; foreign members stay. */
export function withoutLaneBaggage(context: Context): Context {
  const baggage = propagation.getBaggage(context)
  if (baggage === undefined) return context
  const ours = baggage.getAllEntries().flatMap(([key]) => (isLaneKey(key) ? [key] : []))
  return ours.length === 0 ? context : propagation.setBaggage(context, baggage.removeEntries(...ours))
}

/** A baggage is serialised in the order of insertion, and limits cut its end: the lane goes first. */
function laneFirst(entry: BaggageEntry, foreign: readonly [string, BaggageEntry][]): Baggage {
  // An object puts keys that look like integers in front of all others.
  if (foreign.some(([key]) => /^\d+$/.test(key))) {
    let baggage = propagation.createBaggage({ [BAGGAGE_KEY]: entry })
    for (const [key, value] of foreign) baggage = baggage.setEntry(key, value)
    return baggage
  }
  return propagation.createBaggage({ [BAGGAGE_KEY]: entry, ...Object.fromEntries(foreign) })
}
