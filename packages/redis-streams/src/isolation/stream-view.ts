import type { GroupConsumer } from '@laneway/core'
import { GroupReport, LaneSight, ownerOf, persistently } from '@laneway/messaging/internal'
import type { StreamSettings } from '../lane-stream-options.js'
import type { StreamLedger, StreamLook } from './stream-ledger.js'

/** What an instance knows of the ledger of a stream. */
export class StreamView {
  readonly #sight: LaneSight<StreamLook>
  readonly #report: GroupReport
  readonly #failed: (error: Error) => void
  readonly #abort = new AbortController()

  /**
   * @param consumer - of base; `''` in an instance of a lane
   * @param seen - told after each look
   */
  constructor(
    ledger: StreamLedger,
    consumer: string,
    { group, lookMs, endAfterMs, failed }: StreamSettings,
    seen: (look: StreamLook) => void,
  ) {
    const look = () => ledger.look(consumer, endAfterMs)
    this.#failed = failed
    this.#report = new GroupReport(group, () => this.#sight.ageMs())
    const looked = (last: StreamLook) => {
      seen(last)
      this.#report.refreshed()
    }
    this.#sight = new LaneSight({ look }, lookMs, looked, error => failed(error as Error))
  }

  /** Says that a consumer of this process reads, for metrics. @returns says that it left; closing says so of all */
  joined(consumer: GroupConsumer): () => void {
    return this.#report.joined(consumer)
  }

  start(): Promise<void> {
    return this.#sight.start()
  }

  /**
   * Who owns an entry: a lane, or `undefined` for base. Asks Redis when the last look was before the entry, and again
   * until it answers: no entry is decided by a guess. Most entries of a log are passed over, so what is known needs no
   * promise.
   *
   * @throws once this is closed
   */
  ownerOf(tags: readonly string[], ms: number): string | undefined | Promise<string | undefined> {
    const { last } = this.#sight
    if (last !== undefined && last.lastMs >= ms) return ownerOf(tags, ms, last.intervals)
    return this.#persistently(async () => {
      const look = await this.#sight.look()
      // A look that was under way may have been before the entry.
      return ownerOf(tags, ms, (look.lastMs >= ms ? look : await this.#sight.look()).intervals)
    })
  }

  lives(lane: string): Promise<boolean> {
    return this.#persistently(async () => (await this.#sight.firstLiving([lane])) !== undefined)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#report.close()
    await this.#sight.close()
  }

  #persistently<R>(ask: () => Promise<R>): Promise<R> {
    return persistently(ask, this.#failed, this.#abort.signal)
  }
}
