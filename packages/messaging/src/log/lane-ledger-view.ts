import type { GroupConsumer } from '@laneway/core'
import { GroupReport } from './group-report.js'
import {
  defaultLaneGroup,
  type LedgerRecord,
  parseLedgerKey,
  parseLedgerValue,
  type StartOffsets,
} from './ledger-record.js'
import type { OwnedInterval } from './owner.js'
import { END_LEAD_MS, KEEP_ENDED_MS, LEAD_MS, MAX_VIEW_AGE_MS } from './timing.js'

/** One announcement of a lane. */
export interface LedgerEntry extends OwnedInterval {
  readonly id: string
  readonly group: string
  readonly lane: string
  readonly start: StartOffsets
  /** The name of the lane's group. */
  readonly laneGroup: string
  /** When the broker stored the announcement, by its clock, in milliseconds since the epoch. */
  readonly announcedMs: number
}

interface StoredRecord {
  readonly id: string
  readonly record: LedgerRecord
  readonly appendedMs: number
}

/**
 * The lanes of one consumer group as its ledger has them: a log of announcements and ends that every member reads from
 * its start. An announcement owns messages from `LEAD_MS` after the broker stored it, an end cuts all announcements of
 * its lane that stand before it, `END_LEAD_MS` after the broker stored it.
 *
 * Three rules make each reader see the same, whatever the log lost by compaction:
 * - Every record has a key of its own, an end too. An end under the key of its announcement would move the
 *   announcement behind those that came second, so a reader after the compaction would see another winner.
 * - Times come from the broker's clock at the append, never from a writer's. So neither a slow write nor the clock of
 *   the writer moves a beginning into the past.
 * - Two announcements at once both count: the union of their intervals is that of the first.
 */
export class LaneLedgerView {
  readonly group: string
  readonly #now: () => number
  /** By lane, then by id, in log order. */
  readonly #records = new Map<string, Map<string, StoredRecord>>()
  readonly #entries = new Map<string, readonly LedgerEntry[]>()
  #asOfMs = Number.NEGATIVE_INFINITY
  readonly #report: GroupReport
  readonly #waiting = new Set<() => void>()

  /**
   * @param group - of base
   * @param now - in milliseconds, any origin. @default the monotonic clock, because the wall clock jumps
   */
  constructor(group: string, now: () => number = () => performance.now()) {
    this.group = group
    this.#now = now
    this.#report = new GroupReport(group, () => this.ageMs())
  }

  /**
   * Reads the next record of the log. Ignores records of other groups, and what it cannot read. Never throws.
   *
   * @param value - `null` for a record that was removed
   * @param appendedMs - when the broker stored the record, by the broker's clock: Kafka's `LogAppendTime`, the time in an
   * entry id of Redis
   * @returns whether the entries changed
   */
  apply(key: string, value: string | null, appendedMs: number): boolean {
    const named = parseLedgerKey(key)
    if (named === undefined || named.group !== this.group) return false
    const { lane, id } = named
    const records = this.#records.get(lane) ?? new Map<string, StoredRecord>()
    if (value === null) {
      if (!records.delete(id)) return false
    } else {
      const record = parseLedgerValue(value)
      if (record === undefined || records.has(id) || !Number.isFinite(appendedMs)) return false
      records.set(id, { id, record, appendedMs })
    }
    this.#records.set(lane, records)
    this.#entries.set(lane, entriesOf(this.group, lane, records.values()))
    return true
  }

  /** What each lane owns. */
  intervals(): ReadonlyMap<string, readonly OwnedInterval[]> {
    return this.#entries
  }

  /** All announcements, lane by lane, in log order. */
  entries(): LedgerEntry[] {
    return [...this.#entries.values()].flat()
  }

  /** The announcement that a lane goes on by; without one it has to announce itself. */
  openEntry(lane: string): LedgerEntry | undefined {
    return this.#entries.get(lane)?.find(entry => entry.untilMs === undefined)
  }

  /**
   * Where a reader of the lane's group begins in a topic's partition or a stream without a committed offset.
   *
   * @param nowMs - the time since the epoch; what ended longer than `KEEP_ENDED_MS` ago does not count
   * @returns `undefined` for the beginning of the log: the place is newer than the announcement
   */
  startOf(lane: string, place: string, nowMs: number): string | undefined {
    // The first, not the last: a group without a commit may not have read what an earlier announcement owned.
    const first = this.#entries
      .get(lane)
      ?.find(({ untilMs }) => untilMs === undefined || untilMs + KEEP_ENDED_MS > nowMs)
    return first !== undefined && Object.hasOwn(first.start, place) ? first.start[place] : undefined
  }

  /** The name of a lane's group, as its last announcement has it. */
  laneGroupOf(lane: string): string {
    return this.#entries.get(lane)?.at(-1)?.laneGroup ?? defaultLaneGroup(this.group, lane)
  }

  /**
   * Until when the group of a lane needs readers, stand-ins if need be, by the broker's clock: until they reached the end
   * of the log that they see at this time. That leaves `END_LEAD_MS` for messages with older timestamps to arrive.
   *
   * @returns `undefined` while the lane goes on, `-Infinity` for a lane without an entry
   */
  readersUntilMs(lane: string): number | undefined {
    let last = Number.NEGATIVE_INFINITY
    for (const { untilMs } of this.#entries.get(lane) ?? []) {
      if (untilMs === undefined) return undefined
      last = Math.max(last, untilMs + END_LEAD_MS)
    }
    return last
  }

  /**
   * The id by which a reader says that it has read all that a lane owned: of its last announcement or end. For logs that
   * cannot be asked what a group has read.
   *
   * @returns `undefined` when that was said, and for a lane without an entry
   */
  unreadId(lane: string): string | undefined {
    const records = [...(this.#records.get(lane)?.values() ?? [])]
    const last = records.findLast(({ record }) => !('read' in record))
    return records.some(({ record }) => 'read' in record && record.read === last?.id) ? undefined : last?.id
  }

  /**
   * The keys of records that nobody needs any more, in the order in which they may be removed: an end goes after the
   * announcements that it cut.
   *
   * @param nowMs - the time since the epoch
   */
  removableKeys(nowMs: number): string[] {
    const keys: string[] = []
    for (const [lane, records] of this.#records) {
      const entries = this.#entries.get(lane) ?? []
      const ended = entries.filter(({ untilMs }) => untilMs !== undefined && untilMs + KEEP_ENDED_MS <= nowMs)
      const ends =
        ended.length < entries.length ? [] : [...records.values()].filter(({ record }) => !('start' in record))
      for (const { id } of [...ended, ...ends]) keys.push(`${this.group}/${lane}/${id}`)
    }
    return keys
  }

  /** The time by this view's clock: take it before the question that proves the view fresh. */
  now(): number {
    return this.#now()
  }

  /** Says that everything that was in the log when it was asked has been applied. @param askedMs - by {@link now} */
  markFresh(askedMs: number): void {
    if (askedMs <= this.#asOfMs) return
    this.#asOfMs = askedMs
    for (const look of this.#waiting) look()
    this.#report.refreshed()
  }

  /**
   * Says that a consumer of this process joined, for metrics.
   *
   * @returns says that it left
   */
  joined(consumer: GroupConsumer): () => void {
    return this.#report.joined(consumer)
  }

  /** How old this view may be, in milliseconds; `Infinity` before the log was read to its end. */
  ageMs(): number {
    return this.#now() - this.#asOfMs
  }

  /** Whether the view is young enough to decide who owns a message. */
  canDecide(): boolean {
    return this.ageMs() < MAX_VIEW_AGE_MS
  }

  /** Resolves once the view {@link canDecide}. @throws the signal's reason when that is aborted before */
  untilFresh(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (!signal.aborted && !this.canDecide()) return
        this.#waiting.delete(settle)
        signal.removeEventListener('abort', settle)
        if (signal.aborted) reject(signal.reason)
        else resolve()
      }
      this.#waiting.add(settle)
      signal.addEventListener('abort', settle)
      settle()
    })
  }
}

function entriesOf(group: string, lane: string, records: Iterable<StoredRecord>): LedgerEntry[] {
  const entries: LedgerEntry[] = []
  for (const { id, record, appendedMs } of records) {
    if ('start' in record) {
      const fromMs = appendedMs + LEAD_MS
      const { start, laneGroup = defaultLaneGroup(group, lane) } = record
      entries.push({ id, group, lane, fromMs, untilMs: undefined, start, laneGroup, announcedMs: appendedMs })
    }
    if (!('end' in record)) continue
    entries.forEach((entry, at) => {
      if (entry.untilMs === undefined) entries[at] = { ...entry, untilMs: appendedMs + END_LEAD_MS }
    })
  }
  return entries
}
