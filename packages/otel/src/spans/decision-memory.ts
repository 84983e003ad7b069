import type { DecisionEvent } from '@laneway/core'

/** Pairs of endpoint and lane of one generation: more than a process talks to in the life of a snapshot. */
const GENERATION = 2048

/** The last decision per endpoint and lane. Two generations bound it: lanes come from the network. */
export class DecisionMemory {
  #young = new Map<string, DecisionEvent>()
  #old = new Map<string, DecisionEvent>()

  keep(decision: DecisionEvent): void {
    if (decision.address === undefined) return
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    // The request must not live as long as this.
    const kept = decision.call?.request === undefined ? decision : { ...decision, call: undefined }
    this.#young.set(key(decision.address, decision.lane?.header), kept)
  }

  /** @param lane - as on the wire */
  last(address: string, lane: string | undefined): DecisionEvent | undefined {
    const wanted = key(address, lane)
    return this.#young.get(wanted) ?? this.#old.get(wanted)
  }
}

function key(address: string, lane: string | undefined): string {
  return `${address} ${lane ?? ''}`
}
