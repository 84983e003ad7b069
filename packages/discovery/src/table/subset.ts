import type { Seat } from './seat.js'

/** Keeps the requests of a process to some of the endpoints of base or of a lane, and so its connections. */
export interface Subset {
  /** How many endpoints. */
  readonly size: number
  /** What differs from process to process. An integer. */
  readonly seed: number
}

/** Endpoints and their weights, by position. */
export interface WeightedSeats {
  readonly seats: readonly Seat[]
  readonly weights: Float64Array
}

/**
 * The endpoints with the lowest hash of seed and address (rendezvous hashing, as gRFC A68 chooses at random). So an
 * endpoint that comes or goes changes one place of the subset at most, and each process has another subset.
 *
 * @returns what was given when it is no larger
 */
export function subsetOf(all: WeightedSeats, { size, seed }: Subset): WeightedSeats {
  const { seats, weights } = all
  if (seats.length <= size) return all
  const hashes = Float64Array.from(seats, seat => hash(seat.endpoint.address, seed))
  const limit = hashes.slice().sort()[size - 1]!
  const kept: number[] = []
  for (let i = 0; i < seats.length && kept.length < size; i++) if (hashes[i]! <= limit) kept.push(i)
  return { seats: kept.map(i => seats[i]!), weights: Float64Array.from(kept, i => weights[i]!) }
}

/** FNV-1a, and the finalizer of MurmurHash3, because FNV's last characters change few bits. 32 bits. */
function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
