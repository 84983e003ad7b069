import { DRAWS, type Random } from './random.js'

/**
 * Walker's alias method as Vose builds it: a weighted draw in constant time, whatever the number of entries.
 * @see https://www.keithschwarz.com/darts-dice-coins/
 */
export class AliasTable {
  readonly size: number
  readonly #uniform: boolean
  readonly #scale: number
  readonly #keep: Float64Array
  readonly #alias: Int32Array

  /** @param weights - finite and above 0, at least one */
  constructor(weights: Float64Array) {
    this.size = weights.length
    this.#scale = weights.length / DRAWS
    this.#uniform = weights.every(weight => weight === weights[0])
    this.#keep = new Float64Array(this.#uniform ? 0 : this.size)
    this.#alias = new Int32Array(this.#uniform ? 0 : this.size)
    if (!this.#uniform) this.#build(weights)
  }

  get uniform(): boolean {
    return this.#uniform
  }

  /** An index, drawn in proportion to the weights. */
  draw(random: Random): number {
    return this.at(random.next())
  }

  /**
   * The index of a draw: it gives the entry, and by what is left of it the choice between entry and alias. At 100,000
   * entries 13 bits are left for that.
   *
   * @param draw - as `Random` makes them: a small integer, because a double would be an object on the heap wherever V8
   *   does not inline this (`test/allocation.test.ts`)
   */
  at(draw: number): number {
    const position = draw * this.#scale
    const slot = position | 0
    return this.#uniform || position - slot < this.#keep[slot]! ? slot : this.#alias[slot]!
  }

  #build(weights: Float64Array): void {
    const { size } = this
    // The largest first: a sum of large finite weights would be infinite.
    const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
    let sum = 0
    for (let i = 0; i < size; i++) sum += weights[i]! / largest
    const share = new Float64Array(size)
    const small = new Int32Array(size)
    const large = new Int32Array(size)
    let smalls = 0
    let larges = 0
    for (let i = 0; i < size; i++) {
      share[i] = (weights[i]! / largest / sum) * size
      if (share[i]! < 1) small[smalls++] = i
      else large[larges++] = i
    }
    while (smalls > 0 && larges > 0) {
      const less = small[--smalls]!
      const more = large[larges - 1]!
      this.#keep[less] = share[less]!
      this.#alias[less] = more
      share[more] = share[more]! - (1 - share[less]!)
      if (share[more]! < 1) {
        larges--
        small[smalls++] = more
      }
    }
    // What is left is 1 up to rounding.
    while (larges > 0) this.#fill(large[--larges]!)
    while (smalls > 0) this.#fill(small[--smalls]!)
  }

  #fill(index: number): void {
    this.#keep[index] = 1
    this.#alias[index] = index
  }
}
