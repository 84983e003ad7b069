/** Weights by zone; `undefined` is the zone of endpoints that have none. */
export type ZoneWeights = ReadonlyMap<string | undefined, number>

/**
 * How Envoy's zone-aware routing shares the requests of one process among zones. The own zone gets all when its share of
 * the capacity is at least its share of the callers. Else it gets as much as makes its endpoints as busy as all others, and
 * the zones that have capacity left get the rest, in proportion to what they have left.
 *
 * @param capacity - of the endpoints that may serve
 * @param callers - how many processes call from each zone, in any unit
 * @returns shares that sum to 1; `undefined` when there is nothing to prefer: no endpoint in the own zone, or none elsewhere
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware
 */
export function zoneShares(
  capacity: ZoneWeights,
  callers: ZoneWeights,
  own: string,
): Map<string | undefined, number> | undefined {
  const ownCapacity = capacity.get(own) ?? 0
  const allCapacity = sum(capacity)
  const allCallers = sum(callers)
  if (ownCapacity === 0 || ownCapacity === allCapacity || allCallers === 0) return undefined
  const served = ownCapacity / allCapacity
  const wanted = (callers.get(own) ?? 0) / allCallers
  if (served >= wanted) return new Map([[own, 1]])
  const left = new Map<string | undefined, number>()
  for (const [zone, weight] of capacity) {
    const residual = weight / allCapacity - (callers.get(zone) ?? 0) / allCallers
    if (zone !== own && residual > 0) left.set(zone, residual)
  }
  const shares = new Map<string | undefined, number>([[own, served / wanted]])
  const allLeft = sum(left)
  for (const [zone, residual] of left) shares.set(zone, (1 - served / wanted) * (residual / allLeft))
  return shares
}

function sum(weights: ZoneWeights): number {
  let total = 0
  for (const weight of weights.values()) total += weight
  return total
}
