import { Picker } from './picker.js'

/** Each seat in proportion to its weight. */
export class WeightedRandomPicker extends Picker {
  protected draw(): number {
    return this.position()
  }
}
