import type { Seat } from '../table/seat.js'
import type { ZonePreference } from './zone-options.js'
import { type ZoneWeights, zoneShares } from './zone-shares.js'

/** What the groups of one table need to know of zones. */
export interface ZoneRouting {
  /** The zone of this process. */
  readonly own: string
  readonly prefer: Exclude<ZonePreference, 'never'>
  /** How many callers each zone has, in any unit. */
  readonly callers: ZoneWeights
  readonly minEndpoints: number
}

/** The preferred endpoints of a group. */
export interface ZoneRoute {
  readonly seats: readonly Seat[]
  /** By position. */
  readonly weights: Float64Array
  /** Of the requests, by zone. Zones that are left out get requests only when none of the others can serve. */
  readonly shares: ReadonlyMap<string | undefined, number>
}

/**
 * The endpoints that zones prefer, with weights that give each zone its share.
 *
 * @param seats - the usable ones of a group
 * @param weights - by position
 * @returns `undefined` when zones make no difference
 */
export function routeByZone(seats: readonly Seat[], weights: Float64Array, zones: ZoneRouting): ZoneRoute | undefined {
  const capacity = capacityOf(seats, weights)
  const { own, prefer, callers, minEndpoints } = zones
  if (prefer === 'hints') return byHints(seats, weights, own)
  if (prefer === 'always') {
    const served = capacity.get(own) ?? 0
    return served === 0 || capacity.size === 1 ? undefined : narrow(seats, weights, capacity, new Map([[own, 1]]))
  }
  if (seats.length < minEndpoints) return undefined
  const shares = zoneShares(capacity, callers, own)
  return shares === undefined ? undefined : narrow(seats, weights, capacity, shares)
}

function capacityOf(seats: readonly Seat[], weights: Float64Array): Map<string | undefined, number> {
  // The largest first: a sum of large finite weights would be infinite.
  let largest = 0
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, weights[i]!)
  const capacity = new Map<string | undefined, number>()
  for (let i = 0; i < seats.length; i++) {
    const { zone } = seats[i]!.endpoint
    capacity.set(zone, (capacity.get(zone) ?? 0) + weights[i]! / largest)
  }
  return capacity
}

/** Keeps the seats of zones that have a share. Within a zone the weights decide. */
function narrow(
  seats: readonly Seat[],
  weights: Float64Array,
  capacity: ZoneWeights,
  shares: ReadonlyMap<string | undefined, number>,
): ZoneRoute | undefined {
  const kept: Seat[] = []
  const adjusted: number[] = []
  for (let i = 0; i < seats.length; i++) {
    const { zone } = seats[i]!.endpoint
    const weight = weights[i]! * ((shares.get(zone) ?? 0) / capacity.get(zone)!)
    // A weight that is too small to be a number gets nothing, as it would beside the others of its group.
    if (weight === 0 || !Number.isFinite(weight)) continue
    kept.push(seats[i]!)
    adjusted.push(weight)
  }
  return kept.length === 0 ? undefined : { seats: kept, weights: Float64Array.from(adjusted), shares }
}

/** As kube-proxy: hints count when every usable endpoint has some, and the own zone is among them. */
function byHints(seats: readonly Seat[], weights: Float64Array, own: string): ZoneRoute | undefined {
  const positions: number[] = []
  const shares = new Map<string | undefined, number>()
  let total = 0
  for (let i = 0; i < seats.length; i++) {
    const { forZones, zone } = seats[i]!.endpoint
    if (forZones === undefined || forZones.length === 0) return undefined
    if (!forZones.includes(own)) continue
    positions.push(i)
    shares.set(zone, (shares.get(zone) ?? 0) + weights[i]!)
    total += weights[i]!
  }
  if (positions.length === 0 || positions.length === seats.length) return undefined
  for (const [zone, weight] of shares) shares.set(zone, weight / total)
  return {
    seats: positions.map(i => seats[i]!),
    weights: Float64Array.from(positions, i => weights[i]!),
    shares,
  }
}
