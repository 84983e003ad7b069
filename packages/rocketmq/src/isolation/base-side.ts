import { BASE_TAG } from '@laneway/core'
import { KEEP_ENDED_MS, LaneBeats } from '@laneway/messaging/internal'
import type { LaneConsumerSettings } from '../lane-consumer-options.js'
import type { ReceivedMessage } from '../rocketmq.js'
import type { GroupReader, GroupReaderOptions } from './group-reader.js'
import { GroupView } from './group-view.js'
import { handleInLane, isolatedMessage, skip } from './isolated-message.js'
import { endLane, type LaneLedger, type LedgerLook } from './lane-ledger.js'
import type { Aside } from './places.js'

/** Makes a reader of the group of base, or of a lane's. */
export type OpenReader = (lane: string | undefined, handle: GroupReaderOptions['handle']) => GroupReader

/**
 * A lane that has ended is read until nothing that it may own came for this while, in milliseconds, and for as long as a
 * message is invisible: one whose consumer died comes that late.
 */
const QUIET_MS = 30_000

interface StandIn {
  readonly reader: GroupReader
  readonly leave: () => void
  /** When a message came that the lane may own, by `performance.now()`. */
  cameAt: number
  /** It said that all was read. */
  said: boolean
}

/** Base under isolation: skips what a lane owns, and stands in for lanes without consumers. */
export class BaseSide {
  readonly #settings: LaneConsumerSettings
  readonly #store: LaneLedger
  readonly #openReader: OpenReader
  readonly #view: GroupView
  readonly #beats: LaneBeats
  readonly #reader: GroupReader
  readonly #standIns = new Map<string, StandIn>()
  readonly #ending = new Set<Promise<void>>()
  #closing = false

  constructor(store: LaneLedger, settings: LaneConsumerSettings, openReader: OpenReader) {
    const { consumerGroup: group, subscriptions, lookMs, leaseMs, instance, failed } = settings
    this.#settings = settings
    this.#store = store
    this.#openReader = openReader
    this.#view = new GroupView(group, [...subscriptions.keys()], store, lookMs, look => this.#seen(look), failed)
    this.#beats = new LaneBeats({
      beat: () => store.hold(group, '', instance, leaseMs),
      end: () => store.release(group, '', instance),
      leaseMs,
      viewMs: 0,
      failed,
    })
    this.#reader = openReader(undefined, (message, aside) => this.#handle(message, aside))
  }

  async start(): Promise<void> {
    await this.#view.look()
    await this.#beats.hold()
    if (this.#closing) return
    this.#view.joined({ lane: BASE_TAG, role: 'base' })
    this.#reader.start()
    await this.#reader.reads()
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#beats.release().catch(this.#settings.failed)
    await Promise.all(
      [this.#reader, ...[...this.#standIns.values()].map(({ reader }) => reader)].map(reader => reader.close()),
    )
    await Promise.all(this.#ending)
    await this.#view.close()
  }

  async #handle(received: ReceivedMessage, aside: Aside): Promise<'done' | 'leave'> {
    const one = isolatedMessage(received, this.#settings)
    const owns = await this.#view.owns(one, undefined, aside)
    return owns ? handleInLane(one, this.#settings, 'base') : skip(one, this.#settings)
  }

  async #handleFor(lane: string, received: ReceivedMessage, aside: Aside): Promise<'done' | 'leave'> {
    const one = isolatedMessage(received, this.#settings)
    const untilMs = this.#view.readersUntilMs(lane)
    const standIn = this.#standIns.get(lane)
    if (standIn !== undefined && (untilMs === undefined || one.bornMs <= untilMs)) standIn.cameAt = performance.now()
    if (!(await this.#view.owns(one, lane, aside))) return skip(one, this.#settings)
    if (await this.#view.lives(lane)) return 'leave'
    return handleInLane(one, this.#settings, 'stand-in')
  }

  #seen(look: LedgerLook): void {
    const { standsIn, consumerGroup: group, endAfterMs, failed } = this.#settings
    for (const lane of this.#view.lanes()) {
      const standIn = this.#standIns.get(lane)
      if (look.living.has(lane) || !this.#needsReader(lane, look.nowMs, standIn)) {
        if (standIn !== undefined) this.#end(lane, standIn)
        continue
      }
      if (!standsIn || this.#closing) continue
      // Every instance of base may write an end: the first one counts.
      const awayMs = look.nowMs - (look.seenMs.get(lane) ?? look.nowMs)
      const topics = awayMs > endAfterMs ? this.#view.openTopics(lane) : []
      endLane(this.#store, { group, topics, lane }).catch(failed)
      if (standIn === undefined) {
        const reader = this.#openReader(lane, (message, aside) => this.#handleFor(lane, message, aside))
        const leave = this.#view.joined({ lane, role: 'stand-in' })
        this.#standIns.set(lane, { reader, leave, cameAt: performance.now(), said: false })
        reader.start()
      }
    }
  }

  /** A lane that has ended needs one until the ledger says that all was read, however long nobody was there to do so. */
  #needsReader(lane: string, nowMs: number, standIn: StandIn | undefined): boolean {
    const untilMs = this.#view.readersUntilMs(lane)
    if (untilMs === undefined || nowMs <= untilMs) return true
    const records = this.#view.readRecords(lane)
    if (records.length === 0 || nowMs > untilMs + KEEP_ENDED_MS) return false
    const { consumerGroup: group, invisibleMs } = this.#settings
    if (standIn !== undefined && !standIn.said && standIn.reader.quietMs(standIn.cameAt) > QUIET_MS + invisibleMs) {
      standIn.said = true
      this.#say(group, records).catch(error => {
        standIn.said = false
        this.#settings.failed(error)
      })
    }
    return true
  }

  async #say(group: string, records: readonly [key: string, value: string][]): Promise<void> {
    for (const [key, value] of records) await this.#store.append(group, key, value)
  }

  #end(lane: string, { reader, leave }: StandIn): void {
    this.#standIns.delete(lane)
    leave()
    const ending = reader.close().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }
}
