import { setTimeout as sleep } from 'node:timers/promises'
import { LaneBeats, viewMs } from '@laneway/messaging/internal'
import { decide, handleInLane, skip, tagsOf } from '../decide.js'
import type { StreamSettings } from '../lane-stream-options.js'
import type { GroupReader, Handled } from '../stream/group-reader.js'
import type { RawEntry } from '../stream/stream-entry.js'
import type { OpenReader } from './base-side.js'
import { laneGroup, type StreamLedger } from './stream-ledger.js'
import { StreamView } from './stream-view.js'

/** How often a lane asks again whether all consumers of base run Laneway, in milliseconds. */
const AGAIN_MS = 1000

/** An instance of a lane under isolation: announces the lane, says that it lives, and handles what the lane owns. */
export class LaneSide {
  readonly #lane: string
  readonly #ledger: StreamLedger
  readonly #settings: StreamSettings
  readonly #view: StreamView
  readonly #beats: LaneBeats
  readonly #reader: GroupReader
  readonly #stream: string
  #foreign: string | undefined

  constructor(lane: string, stream: string, ledger: StreamLedger, settings: StreamSettings, openReader: OpenReader) {
    const { leaseMs, lookMs, consumer, failed } = settings
    this.#lane = lane
    this.#stream = stream
    this.#ledger = ledger
    this.#settings = settings
    this.#view = new StreamView(ledger, '', settings, () => {})
    this.#beats = new LaneBeats({
      beat: () => this.#beat(),
      end: () => ledger.release(lane, consumer),
      leaseMs,
      viewMs: viewMs(lookMs),
      failed,
    })
    this.#reader = openReader(
      laneGroup(settings.group, lane),
      entry => this.#handle(entry),
      () => this.#beat(),
    )
  }

  /** Resolves once every instance of base leaves the lane's entries to this one. @throws what Redis says */
  async start(): Promise<void> {
    for (let warned = false; !this.#beats.released; warned = true) {
      await this.#beat()
      if (this.#foreign === undefined) break
      if (!warned) this.#warnOf(this.#foreign)
      await sleep(AGAIN_MS)
    }
    if (this.#beats.released) return
    await this.#beats.hold()
    await this.#view.start()
    if (this.#beats.released) return
    this.#view.joined({ lane: this.#lane, role: 'lane' })
    this.#reader.start()
  }

  async close(): Promise<void> {
    // A server that is away ends the lease by itself.
    await this.#beats.release().catch(this.#settings.failed)
    await this.#reader.close()
    await this.#view.close()
  }

  async #beat(): Promise<void> {
    const { consumer, leaseMs, assumeBase } = this.#settings
    this.#foreign = await this.#ledger.hold(this.#lane, consumer, leaseMs, assumeBase)
  }

  #handle(entry: RawEntry): Handled | Promise<Handled> {
    const tags = tagsOf(decide(entry, this.#settings))
    if (!tags.includes(this.#lane)) return skip(entry, this.#settings)
    const owner = this.#view.ownerOf(tags, entry.ms)
    return owner instanceof Promise ? owner.then(known => this.#handleOf(known, entry)) : this.#handleOf(owner, entry)
  }

  #handleOf(owner: string | undefined, entry: RawEntry): Handled | Promise<Handled> {
    return owner === this.#lane ? handleInLane(entry, this.#settings, 'own') : skip(entry, this.#settings)
  }

  #warnOf(foreign: string): void {
    this.#settings.warn(
      `redis-streams: lane ${this.#lane} of group "${this.#settings.group}" waits, because consumer "${foreign}" of ` +
        `"${this.#stream}" does not isolate lanes and would handle their entries, too; roll out base first, or give ` +
        'assumeBase: true',
    )
  }
}
