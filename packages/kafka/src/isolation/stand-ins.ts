import { setTimeout as sleep } from 'node:timers/promises'
import type { Warn } from '@laneway/core'
import { type LaneLedgerView, ledgerKey, ledgerValue } from '@laneway/messaging/internal'
import type { LaneConsumerSettings } from './isolate-options.js'
import type { LogBroker, Place } from './log-broker.js'

/** A consumer of base in the group of a lane. */
export interface StandIn {
  close(): Promise<void>
  /** Whether it has ended by itself. */
  isOver(): boolean
}

export interface StandInOptions {
  readonly broker: LogBroker
  readonly view: LaneLedgerView
  readonly group: string
  readonly wanted: LaneConsumerSettings
  readonly topics: () => Promise<readonly string[]>
  /** Joins the group of a lane. */
  readonly join: (lane: string) => Promise<StandIn>
  readonly warn: Warn
}

interface WatchedLane {
  readonly laneGroup: string
  standIn: StandIn | undefined
  /** Looks in a row without a consumer of the lane, and the time of the first, by `performance.now()`. */
  empty: number
  emptySinceMs: number
  /** Of a lane that ended: the end of the log that its readers have to reach. */
  ends: ReadonlyMap<Place, { readonly high: string; readonly low: string }> | undefined
}

const LOOK_MS = 1000
/** One look may fall between two generations of the lane's consumers. */
const EMPTY_LOOKS = 2

/** Base's watch over the lanes of its group: stands in where a lane has no consumer, and leaves when one is there. */
export class StandIns {
  readonly #options: StandInOptions
  readonly #lanes = new Map<string, WatchedLane>()
  readonly #closing = new AbortController()
  readonly #looking: Promise<void>
  #warned = false

  constructor(options: StandInOptions) {
    this.#options = options
    this.#looking = this.#watch()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#looking
    await Promise.allSettled([...this.#lanes.values()].map(({ standIn }) => standIn?.close()))
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      // Broker and view are asked again: nobody waits for this look.
      await this.#look().catch(error => this.#complain(error))
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  #complain(error: unknown): void {
    if (this.#warned || this.#closing.signal.aborted) return
    this.#warned = true
    this.#options.warn(`kafka: base cannot watch the lanes of "${this.#options.group}": ${(error as Error)?.message}`)
  }

  async #look(): Promise<void> {
    const { broker, view, group, wanted } = this.#options
    for (const lane of view.intervals().keys()) {
      if (this.#lanes.has(lane) || view.readersUntilMs(lane) === Number.NEGATIVE_INFINITY) continue
      const laneGroup = wanted.laneGroup(group, lane)
      this.#lanes.set(lane, { laneGroup, standIn: undefined, empty: 0, emptySinceMs: 0, ends: undefined })
    }
    if (this.#lanes.size === 0) return
    const looks = await broker.groups([...this.#lanes.values()].map(({ laneGroup }) => laneGroup))
    for (const [lane, watched] of this.#lanes) {
      const look = looks.get(watched.laneGroup)
      if (look?.settled === true) await this.#place(lane, watched, look.members.includes('lane'))
    }
    for (const key of view.removableKeys(Date.now())) await broker.append(key, null)
    this.#warned = false
  }

  async #place(lane: string, watched: WatchedLane, lives: boolean): Promise<void> {
    const { view, wanted, join } = this.#options
    if (lives) {
      watched.empty = 0
      await this.#leave(watched)
      return
    }
    const now = performance.now()
    if (watched.empty++ === 0) watched.emptySinceMs = now
    if (await this.#isDone(lane, watched)) {
      await this.#leave(watched)
      return
    }
    if (watched.standIn?.isOver() === true) await this.#leave(watched)
    const emptyMs = now - watched.emptySinceMs
    if (view.openEntry(lane) !== undefined && emptyMs >= wanted.endAfterMs) await this.#end(lane)
    if (watched.standIn !== undefined || watched.empty < EMPTY_LOOKS || emptyMs < wanted.standInAfterMs) return
    if (this.#closing.signal.aborted) return
    watched.standIn = await join(lane)
  }

  async #leave(watched: WatchedLane): Promise<void> {
    const { standIn } = watched
    watched.standIn = undefined
    await standIn?.close()
  }

  /** Whether a lane that ended has been read to its end. */
  async #isDone(lane: string, watched: WatchedLane): Promise<boolean> {
    const { broker, view, topics } = this.#options
    const untilMs = view.readersUntilMs(lane)
    if (untilMs === undefined || Date.now() < untilMs) {
      watched.ends = undefined
      return false
    }
    if (untilMs === Number.NEGATIVE_INFINITY) return true
    const names = await topics()
    watched.ends ??= await broker.bounds(names)
    const committed = await broker.committed(watched.laneGroup, names)
    return [...watched.ends].every(
      ([place, { low, high }]) => low === high || BigInt(committed.get(place) ?? -1) >= BigInt(high),
    )
  }

  async #end(lane: string): Promise<void> {
    const { broker, group, warn } = this.#options
    await broker.append(ledgerKey(group, lane), ledgerValue({ end: true }))
    warn(`kafka: lane ${lane} of group "${group}" had no consumer for endAfterMs; base has ended it`)
  }
}
