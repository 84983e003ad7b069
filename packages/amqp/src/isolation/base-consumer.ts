import { setTimeout as sleep } from 'node:timers/promises'
import { BASE_TAG, runInLane } from '@laneway/core'
import type { MessageOutcome } from '@laneway/messaging'
import type { MessageDecision } from '@laneway/messaging/internal'
import type { AmqpChannel, AmqpMessage, OnMessage } from '../amqp.js'
import { decide } from '../decide.js'
import type { AmqpSettings, ConsumeSettings } from '../lane-amqp-options.js'
import { Beacons } from './beacons.js'
import { forwardOptions, isRejectedByLane, restore, returnsOf } from './forwarded-message.js'
import type { HelperChannels } from './helper-channels.js'
import { assertLane, assertReturn, laneExchange, WAITING } from './topology.js'

/** A lane that needs more returns for one message is too slow for its traffic. */
const MANY_RETURNS = 10

export interface IsolatedConsumer {
  readonly queue: string
  readonly onMessage: OnMessage
  readonly wanted: ConsumeSettings
  readonly settings: AmqpSettings
}

/** Base under isolation: gets every message of the queue, and moves those of living lanes to the queues of these. */
export class BaseConsumer {
  readonly #channel: AmqpChannel
  readonly #channels: HelperChannels
  readonly #consumer: IsolatedConsumer
  readonly #beacons: Beacons
  readonly #slowLanes = new Set<string>()
  #returnable: Promise<void> | undefined
  #waitable: Promise<void> | undefined
  #closed = false

  constructor(channel: AmqpChannel, channels: HelperChannels, consumer: IsolatedConsumer) {
    this.#channel = channel
    this.#channels = channels
    this.#consumer = consumer
    this.#beacons = new Beacons(channels, consumer.queue, consumer.wanted.lookMs)
    channel.on('close', () => {
      this.#closed = true
    })
  }

  /** Untagged messages are handled at once; a tagged one when it is known who lives. */
  handle(message: AmqpMessage | null): unknown {
    const { onMessage, settings } = this.#consumer
    if (message === null) return runInLane(undefined, onMessage, message)
    const decision = decide(message, settings.lanes)
    const tags = decision.lane?.tags
    if (tags === undefined || tags[0] === BASE_TAG) return this.#handleHere(message, decision)
    return this.#place(message, decision, tags)
  }

  #handleHere(message: AmqpMessage, decision: MessageDecision): unknown {
    const { queue, onMessage, settings } = this.#consumer
    restore(message, queue, decision.lane?.tags ?? [])
    settings.lanes.report(queue, decision, 'base')
    return runInLane(decision.lane, onMessage, message)
  }

  async #place(message: AmqpMessage, decision: MessageDecision, tags: readonly string[]): Promise<void> {
    const { queue, wanted, settings } = this.#consumer
    if (isRejectedByLane(message, queue, tags)) {
      this.#channel.nack(message, false, false)
      return
    }
    let moved: MessageOutcome | undefined
    try {
      moved = await this.#forward(message, tags)
    } catch {
      // Whether it is in the lane cannot be known: it is handed out again.
      await sleep(wanted.lookMs)
      if (!this.#closed) this.#channel.nack(message, false, true)
      return
    }
    // A message of a closed channel is handed out again, too: this copy must not be handled.
    if (this.#closed) return
    if (moved === undefined) {
      this.#handleHere(message, decision)
      return
    }
    this.#channel.ack(message)
    settings.lanes.report(queue, decision, moved)
  }

  /**
   * @returns how the message was moved; `undefined` when it is to be handled here
   * @throws when it must neither be moved nor be handled here now
   */
  async #forward(message: AmqpMessage, tags: readonly string[]): Promise<MessageOutcome | undefined> {
    const { queue, wanted } = this.#consumer
    const end = tags.indexOf(BASE_TAG)
    const living = await this.#beacons.firstLiving(end === -1 ? tags : tags.slice(0, end))
    if ((living === undefined && wanted.standsIn) || this.#closed) return undefined
    await this.#keepReturnable()
    if (living === undefined) await this.#keepWaiting()
    else this.#watch(message, living, tags)
    const options = forwardOptions(message, queue)
    const ended = await this.#channels.publish(
      laneExchange(queue, living ?? WAITING),
      message.fields.routingKey,
      message.content,
      options,
    )
    if (ended === 'confirmed') {
      if (living === undefined) return 'waiting'
      return returnsOf(message, queue, tags) > 0 ? 'returned' : 'forwarded'
    }
    this.#waitable = undefined
    if (living !== undefined) this.#beacons.missing(living)
    if (wanted.standsIn) return undefined
    throw new Error('the queue is missing: the message is decided again')
  }

  /** Declares the queue in which messages of lanes without consumers wait. */
  #keepWaiting(): Promise<void> {
    const { queue, wanted } = this.#consumer
    this.#waitable ??= this.#channels
      .declaring()
      .then(channel => assertLane(channel, queue, WAITING, wanted))
      .catch(error => {
        this.#waitable = undefined
        throw error
      })
    return this.#waitable
  }

  /** The queue may have been deleted and made again since the lane was declared. */
  #keepReturnable(): Promise<void> {
    this.#returnable ??= this.#channels
      .declaring()
      .then(channel => assertReturn(channel, this.#consumer.queue))
      .catch(error => {
        this.#returnable = undefined
        throw error
      })
    return this.#returnable
  }

  #watch(message: AmqpMessage, lane: string, tags: readonly string[]): void {
    const { queue, settings } = this.#consumer
    const returns = returnsOf(message, queue, tags)
    if (returns <= MANY_RETURNS || this.#slowLanes.has(lane)) return
    this.#slowLanes.add(lane)
    settings.warn(
      `amqp: a message of lane ${lane} has come back to "${queue}" ${returns} times, because the consumers of the lane ` +
        'took longer than laneTtlMs; give the lane more consumers, or a longer laneTtlMs',
    )
  }
}
