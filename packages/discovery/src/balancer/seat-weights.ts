import type { WarmUp } from '../load/warm-up.js'
import type { Seat } from '../table/seat.js'

/**
 * The weights of seats as they are now: those of the endpoints, less for endpoints that are still warming up.
 *
 * @returns by position, each above 0
 */
export function seatWeights(seats: readonly Seat[], warmUp: WarmUp | undefined): Float64Array {
  // Not Float64Array.from, which makes an object per number (benchmark case discovery/rebuild).
  const weights = new Float64Array(seats.length)
  for (let i = 0; i < seats.length; i++) {
    const { endpoint, load } = seats[i]!
    weights[i] = warmUp === undefined ? endpoint.weight : endpoint.weight * warmUp.shareOf(load)
  }
  return weights
}
