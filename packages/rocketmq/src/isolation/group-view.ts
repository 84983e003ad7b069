import type { GroupConsumer } from '@laneway/core'
import {
  decideOwner,
  GroupReport,
  LaneLedgerView,
  LaneSight,
  ledgerKey,
  ledgerValue,
  persistently,
} from '@laneway/messaging/internal'
import { type LaneLedger, type LedgerLook, placeOf } from './lane-ledger.js'
import type { Aside } from './places.js'

/** What decides who owns a message. */
export interface Judged {
  readonly topic: string
  /** By which a lane may own it. */
  readonly tags: readonly string[]
  /** When its producer sent it; the same each time it is delivered, in every group. */
  readonly bornMs: number
}

/** What an instance knows of the ledger of a group. */
export class GroupView {
  readonly #sight: LaneSight<LedgerLook>
  readonly #report: GroupReport
  readonly #failed: (error: Error) => void
  readonly #views: ReadonlyMap<string, LaneLedgerView>
  #lastId = '0-0'
  readonly #abort = new AbortController()

  /** @param seen - told after each look */
  constructor(
    group: string,
    topics: readonly string[],
    store: LaneLedger,
    lookMs: number,
    seen: (look: LedgerLook) => void,
    failed: (error: Error) => void,
  ) {
    this.#views = new Map(topics.map(topic => [topic, new LaneLedgerView(placeOf(group, topic))]))
    this.#failed = failed
    const look = async () => {
      const askedMs = performance.now()
      const said = await store.look(group, this.#lastId)
      for (const { id, key, value, appendedMs } of said.records) {
        for (const view of this.#views.values()) view.apply(key, value, appendedMs)
        this.#lastId = id
      }
      for (const view of this.#views.values()) view.markFresh(askedMs)
      return said
    }
    this.#report = new GroupReport(group, () => this.#sight.ageMs())
    const looked = (last: LedgerLook) => {
      seen(last)
      this.#report.refreshed()
    }
    this.#sight = new LaneSight({ look }, lookMs, looked, error => failed(error as Error))
  }

  /** Says that a consumer of this process receives, for metrics. @returns says that it left; closing says so of all */
  joined(consumer: GroupConsumer): () => void {
    return this.#report.joined(consumer)
  }

  /** Looks until the store has answered. @throws once this is closed */
  async look(): Promise<LedgerLook> {
    return this.#persistently(() => this.#sight.look())
  }

  /**
   * Whether a side handles a message. Waits while the view is too old: no tagged message is decided by a guess.
   *
   * @param side - the lane whose group reads; `undefined` for the group of base
   * @param aside - runs what waits for the ledger
   * @throws once this is closed
   */
  async owns({ topic, tags, bornMs }: Judged, side: string | undefined, aside: Aside): Promise<boolean> {
    // A topic that was not subscribed to has no lanes.
    const view = this.#views.get(topic)
    if (view === undefined) return side === undefined
    for (;;) {
      const decision = decideOwner(tags.length === 0 ? undefined : tags, bornMs, view, side)
      if (decision !== 'wait') return decision === 'own'
      await aside(() => this.look())
    }
  }

  /** The lanes of the ledger. */
  lanes(): ReadonlySet<string> {
    return new Set([...this.#views.values()].flatMap(view => [...view.intervals().keys()]))
  }

  /** The topics on which a lane goes on. */
  openTopics(lane: string): string[] {
    return [...this.#views].filter(([, view]) => view.openEntry(lane) !== undefined).map(([topic]) => topic)
  }

  /** Until when the group of a lane needs readers; `undefined` while the lane goes on. */
  readersUntilMs(lane: string): number | undefined {
    const until = [...this.#views.values()].map(view => view.readersUntilMs(lane))
    return until.some(one => one === undefined) ? undefined : Math.max(...(until as number[]))
  }

  /** Keys and values by which a reader says that it has read all that a lane owned; none once the ledger says so. */
  readRecords(lane: string): [key: string, value: string][] {
    return [...this.#views.values()].flatMap(view => {
      const id = view.unreadId(lane)
      return id === undefined ? [] : [[ledgerKey(view.group, lane), ledgerValue({ read: id })] as [string, string]]
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
