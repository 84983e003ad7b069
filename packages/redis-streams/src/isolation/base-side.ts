import { BASE_TAG } from '@laneway/core'
import { decide, handleInLane, skip, tagsOf } from '../decide.js'
import type { StreamSettings } from '../lane-stream-options.js'
import type { GroupReader, GroupReaderOptions, Handled } from '../stream/group-reader.js'
import type { RawEntry } from '../stream/stream-entry.js'
import { laneGroup, type StreamLedger, type StreamLook } from './stream-ledger.js'
import { StreamView } from './stream-view.js'

/** Makes a reader of a group of one stream. */
export type OpenReader = (
  group: string,
  handle: GroupReaderOptions['handle'],
  create: () => Promise<void>,
) => GroupReader

interface StandIn {
  readonly reader: GroupReader
  readonly leave: () => void
}

/** Base under isolation: skips what a lane owns, and stands in for lanes without consumers. */
export class BaseSide {
  readonly #settings: StreamSettings
  readonly #openReader: OpenReader
  readonly #view: StreamView
  readonly #reader: GroupReader
  readonly #standIns = new Map<string, StandIn>()
  readonly #ending = new Set<Promise<void>>()
  #closing = false

  constructor(ledger: StreamLedger, settings: StreamSettings, openReader: OpenReader, create: () => Promise<void>) {
    this.#settings = settings
    this.#openReader = openReader
    this.#view = new StreamView(ledger, settings.consumer, settings, look => this.#seen(look))
    this.#reader = openReader(settings.group, entry => this.#handle(entry), create)
  }

  async start(): Promise<void> {
    await this.#view.start()
    if (this.#closing) return
    this.#view.joined({ lane: BASE_TAG, role: 'base' })
    this.#reader.start()
  }

  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(
      [this.#reader, ...[...this.#standIns.values()].map(({ reader }) => reader)].map(reader => reader.close()),
    )
    await Promise.all(this.#ending)
    await this.#view.close()
  }

  #handle(entry: RawEntry): Handled | Promise<Handled> {
    const tags = tagsOf(decide(entry, this.#settings))
    const owner = tags.length === 0 ? undefined : this.#view.ownerOf(tags, entry.ms)
    return owner instanceof Promise ? owner.then(known => this.#handleOf(known, entry)) : this.#handleOf(owner, entry)
  }

  #handleOf(owner: string | undefined, entry: RawEntry): Handled | Promise<Handled> {
    return owner === undefined ? handleInLane(entry, this.#settings, 'base') : skip(entry, this.#settings)
  }

  async #handleFor(lane: string, entry: RawEntry): Promise<Handled> {
    const tags = tagsOf(decide(entry, this.#settings))
    if (!tags.includes(lane) || (await this.#view.ownerOf(tags, entry.ms)) !== lane) return skip(entry, this.#settings)
    if (await this.#view.lives(lane)) return 'leave'
    return handleInLane(entry, this.#settings, 'stand-in')
  }

  #seen({ orphaned }: StreamLook): void {
    for (const [lane, { reader, leave }] of this.#standIns) {
      if (orphaned.has(lane)) continue
      this.#standIns.delete(lane)
      leave()
      const ending = reader.close().finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    }
    if (!this.#settings.standsIn || this.#closing) return
    for (const lane of orphaned) {
      if (this.#standIns.has(lane)) continue
      // The group went with the lane: the next look says so.
      const reader = this.#openReader(
        laneGroup(this.#settings.group, lane),
        entry => this.#handleFor(lane, entry),
        async () => {},
      )
      this.#standIns.set(lane, { reader, leave: this.#view.joined({ lane, role: 'stand-in' }) })
      reader.start()
    }
  }
}
