import { runInLane } from '@laneway/core'

/**
 * Endpoints of small snapshots that are taken over in one turn of the event loop, 5 to 10 µs each when they are new. With
 * hundreds of services a start would otherwise be one turn of a quarter of a second.
 */
const PER_TURN = 1_024

/** Spreads the snapshots of all services of a resolver over turns of the event loop, between which other work runs. */
export class BuildTurns {
  #left = PER_TURN
  readonly #waiting: { readonly cost: number; readonly work: () => void }[] = []
  #next: NodeJS.Immediate | undefined

  /** Does the work at once while this turn has room, else in a later turn. @param cost - in endpoints */
  run(cost: number, work: () => void): void {
    if (cost > this.#left) {
      this.later(cost, work)
      return
    }
    this.#left -= cost
    this.#schedule().unref()
    work()
  }

  /** @param cost - @default a turn of its own */
  later(cost: number | undefined, work: () => void): void {
    this.#waiting.push({ cost: cost ?? PER_TURN, work })
    this.#schedule().ref()
  }

  #schedule(): NodeJS.Immediate {
    // Of no lane: it goes on for services that others have asked for.
    this.#next ??= runInLane(undefined, () => setImmediate(() => this.#turn()))
    return this.#next
  }

  #turn(): void {
    this.#next = undefined
    this.#left = PER_TURN
    while (this.#waiting.length > 0 && this.#waiting[0]!.cost <= this.#left) {
      const { cost, work } = this.#waiting.shift()!
      this.#left -= cost
      work()
    }
    if (this.#waiting.length > 0) this.#schedule().ref()
  }
}
