import { BAGGAGE_KEY, type Lane, MSE_BAGGAGE_KEY } from '@laneway/core'
import { type Baggage, type BaggageEntry, type Context, propagation } from '@opentelemetry/api'

/** A context whose baggage shows the lane, and no other lane. */
export function withLaneBaggage(context: Context, lane: Lane | undefined): Context {
  if (lane === undefined) return withoutLaneBaggage(context)
  const foreign = propagation.getBaggage(context)?.removeEntries(BAGGAGE_KEY, MSE_BAGGAGE_KEY).getAllEntries() ?? []
  return propagation.setBaggage(context, laneFirst({ value: lane.header }, foreign))
}

/** A context without our baggage members; foreign members stay. */
export function withoutLaneBaggage(context: Context): Context {
  const baggage = propagation.getBaggage(context)
  if (baggage === undefined) return context
  if (baggage.getEntry(BAGGAGE_KEY) === undefined && baggage.getEntry(MSE_BAGGAGE_KEY) === undefined) return context
  return propagation.setBaggage(context, baggage.removeEntries(BAGGAGE_KEY, MSE_BAGGAGE_KEY))
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
