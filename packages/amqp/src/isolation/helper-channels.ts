import { runInLane } from '@laneway/core'
import type { AmqpChannel, HelperChannel } from '../amqp.js'

// https://www.rabbitmq.com/amqp-0-9-1-reference.html: confirm.select and its answer, class << 16 | method
const CONFIRM_SELECT = 5_570_570
const CONFIRM_SELECT_OK = 5_570_571

/** How a message that was forwarded ended. */
export type Confirmation = 'confirmed' | 'unroutable'

/** Carries the number of a forward, so that a message which the broker returns is known. */
export const FORWARD_HEADER = 'x-laneway-forward'

/** Channels of Laneway's own on the connection of a channel: an error on one must not close the application's. */
export class HelperChannels {
  readonly #of: AmqpChannel
  #declaring: Promise<HelperChannel> | undefined
  #confirming: Promise<HelperChannel> | undefined
  readonly #returned = new Set<number>()
  #forwards = 0

  constructor(of: AmqpChannel) {
    this.#of = of
  }

  /** For declarations. */
  declaring(): Promise<HelperChannel> {
    this.#declaring ??= this.#open(() => {
      this.#declaring = undefined
    })
    return this.#declaring
  }

  /**
   * Publishes and waits for the broker.
   *
   * @returns whether the message is in a queue
   * @throws when the broker refuses it, or when that cannot be known
   */
  async publish(exchange: string, routingKey: string, content: Buffer, options: ForwardOptions): Promise<Confirmation> {
    this.#confirming ??= this.#openConfirming()
    const channel = await this.#confirming
    const number = ++this.#forwards
    const headers = { ...options.headers, [FORWARD_HEADER]: number }
    const all = { ...options, headers, mandatory: true, persistent: true }
    try {
      await confirmed(channel, exchange, routingKey, content, all)
    } catch (error) {
      // Headers that amqplib can receive and, with ours, cannot send.
      if (error instanceof RangeError || error instanceof TypeError) return 'unroutable'
      throw error
    }
    return this.#returned.delete(number) ? 'unroutable' : 'confirmed'
  }

  async close(): Promise<void> {
    for (const opening of [this.#declaring, this.#confirming]) {
      await opening?.then(channel => channel.close()).catch(() => {})
    }
  }

  async #openConfirming(): Promise<HelperChannel> {
    const channel = await this.#open(() => {
      this.#confirming = undefined
    })
    // The broker returns a message before it confirms it.
    channel.on('return', ({ properties }) => this.#returned.add(properties.headers[FORWARD_HEADER]))
    await channel.rpc(CONFIRM_SELECT, { nowait: false }, CONFIRM_SELECT_OK)
    return channel
  }

  #open(closed: () => void): Promise<HelperChannel> {
    return runInLane(undefined, async () => {
      try {
        const Channel = this.#of.constructor as new (connection: unknown) => HelperChannel
        const channel = new Channel(this.#of.connection)
        // What went wrong is heard by whoever waits.
        channel.on('error', () => {})
        channel.once('close', closed)
        channel.setOptions?.(undefined)
        await channel.open()
        return channel
      } catch (error) {
        closed()
        throw error
      }
    })
  }
}

function confirmed(
  channel: HelperChannel,
  exchange: string,
  routingKey: string,
  content: Buffer,
  options: object,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown) => (error ? reject(error) : resolve())
    if (channel.waitForConfirms !== undefined) channel.publish(exchange, routingKey, content, options, done)
    else {
      channel.publish(exchange, routingKey, content, options)
      channel.pushConfirmCallback(done)
    }
  })
}

/** Properties of a message that is forwarded. */
export type ForwardOptions = Record<string, unknown> & { headers: Record<string, unknown> }
