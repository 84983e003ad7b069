import { Picker } from './picker.js'
import type { Seat } from './seat.js'

/**
 * The power of two choices: two weighted draws, and the one with fewer requests in flight per weight serves. On a tie
 * the first does, so an idle service is shared by weight.
 * @see https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf
 */
export class LeastRequestPicker extends Picker {
  draw(): Seat {
    const { seats, random } = this
    const size = seats.length
    const first = this.position()
    if (size === 1) return seats[first]!
    let second = this.position()
    // The same seat twice is no choice: any other one, then.
    if (second === first) second = (first + 1 + (random.next() % (size - 1))) % size
    const one = seats[first]!
    const other = seats[second]!
    return other.load.inFlight * one.endpoint.weight < one.load.inFlight * other.endpoint.weight ? other : one
  }
}
