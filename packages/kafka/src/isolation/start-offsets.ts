import type { LaneLedgerView } from '@laneway/messaging/internal'
import { type LogBroker, placeOf } from './log-broker.js'

/**
 * Where a member of a lane's group begins: at the group's committed offset, else where the lane's announcement says, which
 * is the same for every member at any time.
 */
export class StartOffsets {
  readonly #broker: LogBroker
  readonly #view: LaneLedgerView
  readonly #lane: string
  readonly #laneGroup: string
  readonly #passed = new Set<string>()
  #committed = new Map<string, Promise<ReadonlyMap<string, string>>>()

  constructor(broker: LogBroker, view: LaneLedgerView, lane: string, laneGroup: string) {
    this.#broker = broker
    this.#view = view
    this.#lane = lane
    this.#laneGroup = laneGroup
  }

  /** The member has new partitions. */
  assigned(): void {
    this.#passed.clear()
    this.#committed = new Map()
  }

  /** The program itself says where to begin. */
  sought(topic: string, partition: number): void {
    this.#passed.add(placeOf(topic, partition))
  }

  hasPassed(topic: string, partition: number): boolean {
    return this.#passed.has(placeOf(topic, partition))
  }

  /** @returns where to seek to when the first message of a partition lies before the start; `undefined` when it does not */
  async before(topic: string, partition: number, offset: string): Promise<string | undefined> {
    const place = placeOf(topic, partition)
    let committed = this.#committed.get(topic)
    if (committed === undefined) {
      committed = this.#broker.committed(this.#laneGroup, [topic])
      this.#committed.set(topic, committed)
      // Not kept: the next message asks again.
      committed.catch(() => this.#committed.delete(topic))
    }
    const known = (await committed).has(place)
    this.#passed.add(place)
    if (known) return undefined
    const start = this.#view.startOf(this.#lane, place, Date.now())
    return start !== undefined && BigInt(offset) < BigInt(start) ? start : undefined
  }
}
