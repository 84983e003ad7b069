import type { Seat } from '../table/seat.js'
import { LeastRequestPicker } from './least-request.js'
import type { Picker } from './picker.js'
import type { Random } from './random.js'
import { RoundRobinPicker } from './round-robin.js'
import { WeightedRandomPicker } from './weighted-random.js'

/**
 * How one of several endpoints is chosen, in constant time each:
 *
 * - `weighted-random`: in proportion to the weights
 * - `round-robin`: in turn; with unequal weights spread as evenly as the weights allow
 * - `least-request`: of two weighted draws the one with fewer requests in flight per weight
 */
export type Balancer = 'weighted-random' | 'round-robin' | 'least-request'

export const BALANCERS: readonly Balancer[] = ['weighted-random', 'round-robin', 'least-request']

/**
 * @param seats - at least one
 * @param weights - by position, each above 0
 */
export function createPicker(
  balancer: Balancer,
  seats: readonly Seat[],
  weights: Float64Array,
  random: Random,
): Picker {
  switch (balancer) {
    case 'round-robin':
      return new RoundRobinPicker(seats, weights, random)
    case 'least-request':
      return new LeastRequestPicker(seats, weights, random)
    default:
      return new WeightedRandomPicker(seats, weights, random)
  }
}
