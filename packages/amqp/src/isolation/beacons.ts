import type { LivingLanes } from '@laneway/messaging/internal'
import type { HelperChannels } from './helper-channels.js'
import { assertBeacon } from './topology.js'

interface Beacon {
  living: boolean
  /** When the last look was sent, by `performance.now()`. */
  sentAt: number
  usedAt: number
  looking: Promise<void> | undefined
}

/** Lanes come from senders, so their number is bounded. */
const MAX_BEACONS = 64
/** A lane without messages for this while takes no part in the budget of looks. */
const ACTIVE_MS = 5000

/** Asks the broker which lanes of a queue have living consumers, when a message of a lane comes and the answer is old. */
export class Beacons implements LivingLanes {
  readonly #channels: Pick<HelperChannels, 'declaring'>
  readonly #queue: string
  readonly #lookMs: number
  readonly #beacons = new Map<string, Beacon>()

  constructor(channels: Pick<HelperChannels, 'declaring'>, queue: string, lookMs: number) {
    this.#channels = channels
    this.#queue = queue
    this.#lookMs = lookMs
  }

  async firstLiving(tags: readonly string[]): Promise<string | undefined> {
    for (const tag of tags) if (await this.#isLiving(tag)) return tag
    return undefined
  }

  /** The queue of a lane is not there: it has no consumers, whatever its beacon said. */
  missing(tag: string): void {
    const beacon = this.#beacons.get(tag)
    if (beacon !== undefined) beacon.living = false
  }

  async close(): Promise<void> {
    this.#beacons.clear()
  }

  async #isLiving(tag: string): Promise<boolean> {
    const now = performance.now()
    const beacon = this.#beaconOf(tag)
    beacon.usedAt = now
    // One request per `lookMs` for all lanes together.
    if (now - beacon.sentAt > this.#lookMs * this.#active(now)) {
      beacon.looking ??= this.#look(tag, beacon).finally(() => {
        beacon.looking = undefined
      })
      await beacon.looking
    }
    return beacon.living
  }

  async #look(tag: string, beacon: Beacon): Promise<void> {
    const sentAt = performance.now()
    const channel = await this.#channels.declaring()
    const { consumers } = await assertBeacon(channel, this.#queue, tag)
    beacon.sentAt = sentAt
    beacon.living = consumers > 0
  }

  #active(now: number): number {
    let active = 0
    for (const { usedAt } of this.#beacons.values()) if (now - usedAt < ACTIVE_MS) active++
    return active
  }

  #beaconOf(tag: string): Beacon {
    const known = this.#beacons.get(tag)
    const beacon = known ?? { living: false, sentAt: Number.NEGATIVE_INFINITY, usedAt: 0, looking: undefined }
    // The last used is the last to go.
    if (known !== undefined) this.#beacons.delete(tag)
    else if (this.#beacons.size >= MAX_BEACONS) this.#beacons.delete(this.#beacons.keys().next().value!)
    this.#beacons.set(tag, beacon)
    return beacon
  }
}
