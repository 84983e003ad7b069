import type { Seat } from '../table/seat.js'
import { Picker } from './picker.js'
import type { Random } from './random.js'

/** 2^32 divided by the golden ratio: multiples of it fill the circle of 32-bit integers as evenly as can be. */
const GOLDEN = 0x9e3779b9

/**
 * One seat after the other, starting anywhere, so that many clients do not all begin at the first. With unequal weights
 * the alias table is walked by a golden-ratio sequence: constant time, and closer to the weights than chance.
 */
export class RoundRobinPicker extends Picker {
  #next: number
  readonly #angle = new Int32Array(1)

  constructor(seats: readonly Seat[], weights: Float64Array, random: Random) {
    super(seats, weights, random)
    this.#next = random.next() % seats.length
    this.#angle[0] = random.next() << 2
  }

  protected draw(attempt: number): number {
    // The next in turn would get all that a full endpoint does not take, on top of its own.
    if (attempt > 0) return this.position()
    const { seats, table } = this
    if (table.uniform) {
      const position = this.#next
      this.#next = position + 1 === seats.length ? 0 : position + 1
      return position
    }
    const angle = this.#angle[0]!
    this.#angle[0] = angle + GOLDEN
    return table.at(angle >>> 2)
  }
}
