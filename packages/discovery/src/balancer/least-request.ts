import type { EndpointLoad } from '../table/endpoint-load.js'
import type { Seat } from '../table/seat.js'
import type { Random } from './random.js'
import { RoundRobinPicker } from './round-robin.js'

/**
 * The power of two choices: one endpoint in turn, and another one at random when it has fewer requests in flight per weight.
 * With the first in turn, endpoints that are alike get the requests as evenly as from a round robin
 * (`test/ejection-under-load.test.ts`).
 * @see https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf
 */
export class LeastRequestPicker extends RoundRobinPicker {
  readonly #loads: readonly EndpointLoad[]

  constructor(seats: readonly Seat[], weights: Float64Array, random: Random) {
    super(seats, weights, random)
    this.#loads = seats.map(seat => seat.load)
  }

  protected override draw(attempt: number): number {
    const { weights, random } = this
    const loads = this.#loads
    const size = loads.length
    const first = super.draw(attempt)
    const { inFlight } = loads[first]!
    // Nothing can be less, so there is no need to look further.
    if (size === 1 || inFlight === 0) return first
    let second = this.position()
    // The same seat twice is no choice: any other one, then.
    if (second === first) second = (first + 1 + (random.next() % (size - 1))) % size
    const other = loads[second]!
    // Who answers with errors has little in flight, and must not attract more than its turn for that.
    if (other.erred) return first
    return other.inFlight * weights[first]! < inFlight * weights[second]! ? second : first
  }
}
