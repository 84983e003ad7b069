import type { DecisionEvent } from '@laneway/core'
import { BoundedMap } from '@laneway/core/internal'

/** Pairs of endpoint and lane: more than a process talks to in the life of a snapshot. */
const MAX_PAIRS = 4096

/** The last decision per endpoint and lane. It is bounded, because lanes come from the network. */
export class DecisionMemory {
  readonly #last = new BoundedMap<string, DecisionEvent>(MAX_PAIRS)

  keep(decision: DecisionEvent): void {
    if (decision.address === undefined) return
    // The request must not live as long as this.
    const kept = decision.call?.request === undefined ? decision : { ...decision, call: undefined }
    this.#last.set(key(decision.address, decision.lane?.header), kept)
  }

  /** @param lane - as on the wire */
  last(address: string, lane: string | undefined): DecisionEvent | undefined {
    return this.#last.get(key(address, lane))
  }
}

function key(address: string, lane: string | undefined): string {
  return `${address} ${lane ?? ''}`
}
