import { Picker } from './picker.js'
import type { Seat } from './seat.js'

/** Each seat in proportion to its weight. */
export class WeightedRandomPicker extends Picker {
  draw(): Seat {
    return this.seats[this.position()]!
  }
}
