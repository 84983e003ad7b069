import { randomFillSync } from 'node:crypto'

/** Draws for the balancers. */
export interface Random {
  /** An integer from 0 to 2^30 - 1: a small integer on every build of V8, so that a draw is never boxed. */
  next(): number
}

/** One more than the largest draw. */
export const DRAWS = 2 ** 30

/**
 * Marsaglia's xorshift128 on integers. `Math.random` would cost 16 bytes a pick, because a double that leaves a function
 * is an object on the heap (case discovery/pick).
 */
class XorShift implements Random {
  readonly #state = new Int32Array(4)

  constructor() {
    randomFillSync(this.#state)
    // All zero is the one state that the generator never leaves.
    this.#state[0] = this.#state[0]! | 1
  }

  next(): number {
    const state = this.#state
    let t = state[3]!
    t ^= t << 11
    t ^= t >>> 8
    const s = state[0]!
    state[3] = state[2]!
    state[2] = state[1]!
    state[1] = s
    t ^= s ^ (s >>> 19)
    state[0] = t
    return t >>> 2
  }
}

class InjectedRandom implements Random {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  next(): number {
    const draw = Math.floor(this.#random() * DRAWS)
    return draw >= 0 && draw < DRAWS ? draw : 0
  }
}

/** @param random - like `Math.random`; without it a generator that allocates nothing */
export function createRandom(random?: () => number): Random {
  return random === undefined ? new XorShift() : new InjectedRandom(random)
}
