import { setTimeout as sleep } from 'node:timers/promises'
import { LaneBeats, LEAD_MS, viewMs } from '@laneway/messaging/internal'
import type { LaneConsumerSettings } from '../lane-consumer-options.js'
import type { ReceivedMessage } from '../rocketmq.js'
import type { OpenReader } from './base-side.js'
import type { GroupReader } from './group-reader.js'
import { GroupView } from './group-view.js'
import { handleInLane, isolatedMessage, skip } from './isolated-message.js'
import { announceLane, type LaneLedger } from './lane-ledger.js'
import type { Aside } from './places.js'

/** How often a lane asks again whether base isolates lanes, in milliseconds. */
const AGAIN_MS = 1000

/** An instance of a lane under isolation: announces the lane, says that it lives, and handles what the lane owns. */
export class LaneSide {
  readonly #lane: string
  readonly #store: LaneLedger
  readonly #settings: LaneConsumerSettings
  readonly #view: GroupView
  readonly #beats: LaneBeats
  readonly #reader: GroupReader

  constructor(lane: string, store: LaneLedger, settings: LaneConsumerSettings, openReader: OpenReader) {
    const { consumerGroup: group, subscriptions, lookMs, leaseMs, instance, failed } = settings
    this.#lane = lane
    this.#store = store
    this.#settings = settings
    this.#view = new GroupView(group, [...subscriptions.keys()], store, lookMs, () => {}, failed)
    this.#beats = new LaneBeats({
      beat: () => this.#beat(),
      end: () => store.release(group, lane, instance),
      leaseMs,
      viewMs: viewMs(lookMs),
      failed,
    })
    this.#reader = openReader(lane, (message, aside) => this.#handle(message, aside))
  }

  /** Resolves once the lane's messages come here. @throws what the ledger says */
  async start(): Promise<void> {
    await this.#untilBase()
    if (this.#beats.released) return
    await this.#beats.hold()
    if (this.#beats.released) return
    this.#view.joined({ lane: this.#lane, role: 'lane' })
    this.#reader.start()
    // The group has a place in each queue before the first message that the lane owns is sent.
    await this.#reader.reads()
    if (!this.#beats.released && (await this.#announce())) await sleep(LEAD_MS)
  }

  async close(): Promise<void> {
    // A store that is away ends the lease by itself.
    await this.#beats.release().catch(this.#settings.failed)
    await this.#reader.close()
    await this.#view.close()
  }

  async #beat(): Promise<void> {
    const { consumerGroup: group, instance, leaseMs } = this.#settings
    await this.#store.hold(group, this.#lane, instance, leaseMs)
  }

  /** @returns whether there was a topic without an announcement that the lane goes on by */
  async #announce(): Promise<boolean> {
    const { consumerGroup: group, subscriptions } = this.#settings
    await this.#view.look()
    const open = this.#view.openTopics(this.#lane)
    const topics = [...subscriptions.keys()].filter(topic => !open.includes(topic))
    await announceLane(this.#store, { group, topics, lane: this.#lane })
    return topics.length > 0
  }

  async #untilBase(): Promise<void> {
    const { assumeBase, warn, consumerGroup } = this.#settings
    for (let warned = false; !assumeBase && !this.#beats.released; warned = true) {
      const { baseLives } = await this.#view.look()
      if (baseLives || this.#view.openTopics(this.#lane).length > 0) return
      if (!warned) {
        warn(
          `rocketmq: lane ${this.#lane} of group "${consumerGroup}" waits, because no consumer of base isolates lanes and ` +
            'one that does not handles their messages, too; roll out base first, or give assumeBase: true',
        )
      }
      await sleep(AGAIN_MS)
    }
  }

  async #handle(received: ReceivedMessage, aside: Aside): Promise<'done' | 'leave'> {
    const one = isolatedMessage(received, this.#settings)
    const owns = await this.#view.owns(one, this.#lane, aside)
    return owns ? handleInLane(one, this.#settings, 'own') : skip(one, this.#settings)
  }
}
