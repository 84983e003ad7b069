import type { EndpointLoad } from '../table/endpoint-load.js'
import type { Seat } from '../table/seat.js'
import { Picker } from './picker.js'
import type { Random } from './random.js'

/**
 * The power of two choices: two weighted draws, and the one with fewer requests in flight per weight serves. On a tie
 * the first does, so an idle service is shared by weight.
 * @see https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf
 */
export class LeastRequestPicker extends Picker {
  readonly #loads: readonly EndpointLoad[]

  constructor(seats: readonly Seat[], weights: Float64Array, random: Random) {
    super(seats, weights, random)
    this.#loads = seats.map(seat => seat.load)
  }

  protected draw(): number {
    const { weights, random } = this
    const loads = this.#loads
    const size = loads.length
    const first = this.position()
    const inFlight = loads[first]!.inFlight
    // Nothing can be less, so there is no need to look further.
    if (size === 1 || inFlight === 0) return first
    let second = this.position()
    // The same seat twice is no choice: any other one, then.
    if (second === first) second = (first + 1 + (random.next() % (size - 1))) % size
    return loads[second]!.inFlight * weights[first]! < inFlight * weights[second]! ? second : first
  }
}
