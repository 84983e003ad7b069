import type { Seat } from '../table/seat.js'
import type { Balancer, BalancerName } from './balancer.js'
import { LeastRequestPicker } from './least-request.js'
import { OwnPicker } from './own-picker.js'
import type { Picker } from './picker.js'
import type { Random } from './random.js'
import { RoundRobinPicker } from './round-robin.js'
import { WeightedRandomPicker } from './weighted-random.js'

/**
 * @param seats - at least one
 * @param weights - by position, each above 0
 */
export function createPicker(
  balancer: BalancerName | Balancer,
  seats: readonly Seat[],
  weights: Float64Array,
  random: Random,
): Picker {
  switch (balancer) {
    case 'round-robin':
      return new RoundRobinPicker(seats, weights, random)
    case 'least-request':
      return new LeastRequestPicker(seats, weights, random)
    case 'weighted-random':
      return new WeightedRandomPicker(seats, weights, random)
    default:
      return new OwnPicker(seats, weights, random, balancer)
  }
}
