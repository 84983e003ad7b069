import { decideOwner, LaneLedgerView, LaneSight, persistently } from '@laneway/messaging/internal'
import type { LaneLedger, LedgerLook } from './lane-ledger.js'

/** What an instance knows of the ledger of a group. */
export class GroupView {
  readonly #sight: LaneSight<LedgerLook>
  readonly #failed: (error: Error) => void
  readonly ledger: LaneLedgerView
  #lastId = '0-0'
  readonly #abort = new AbortController()

  /** @param seen - told after each look */
  constructor(
    group: string,
    store: LaneLedger,
    lookMs: number,
    seen: (look: LedgerLook) => void,
    failed: (error: Error) => void,
  ) {
    this.ledger = new LaneLedgerView(group)
    this.#failed = failed
    const look = async () => {
      const askedMs = this.ledger.now()
      const said = await store.look(group, this.#lastId)
      for (const { id, key, value, appendedMs } of said.records) {
        this.ledger.apply(key, value, appendedMs)
        this.#lastId = id
      }
      this.ledger.markFresh(askedMs)
      return said
    }
    this.#sight = new LaneSight({ look }, lookMs, seen, error => failed(error as Error))
  }

  /** Looks until the store has answered. @throws once this is closed */
  async look(): Promise<LedgerLook> {
    return this.#persistently(() => this.#sight.look())
  }

  /**
   * Whether a side handles a message. Waits while the view is too old: no tagged message is decided by a guess.
   *
   * @param tags - by which a lane may own it
   * @param side - the lane whose group reads; `undefined` for the group of base
   * @throws once this is closed
   */
  async owns(tags: readonly string[], bornMs: number, side: string | undefined): Promise<boolean> {
    for (;;) {
      const decision = decideOwner(tags.length === 0 ? undefined : tags, bornMs, this.ledger, side)
      if (decision !== 'wait') return decision === 'own'
      await this.look()
    }
  }

  lives(lane: string): Promise<boolean> {
    return this.#persistently(async () => (await this.#sight.firstLiving([lane])) !== undefined)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#sight.close()
  }

  #persistently<R>(ask: () => Promise<R>): Promise<R> {
    return persistently(ask, this.#failed, this.#abort.signal)
  }
}
