import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import type { ReceivedMessage, SimpleConsumer } from '../rocketmq.js'
import { renewedHandle } from './receipt-handle.js'

const ACK_ATTEMPTS = 6
/** `INVALID_RECEIPT_HANDLE`: the message is no longer ours. Of the client's protocol. */
const EXPIRED = 40_013
/** A message that is handed back is invisible for this while, in milliseconds. */
const HANDED_BACK_MS = 10

/** A message that was received and not acknowledged. It is renewed until that, so that nobody else receives it. */
export class Hold {
  readonly message: ReceivedMessage
  readonly #consumer: SimpleConsumer
  readonly #invisibleMs: number
  readonly #failed: (error: Error) => void
  readonly #timer: NodeJS.Timeout
  /** When the broker last said that it is ours, by `performance.now()`. */
  #confirmedAt: number
  /** One request at a time: each gives the message another handle. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    consumer: SimpleConsumer,
    message: ReceivedMessage,
    invisibleMs: number,
    receivedAt: number,
    failed: (error: Error) => void,
  ) {
    this.#consumer = consumer
    this.message = message
    this.#invisibleMs = invisibleMs
    this.#confirmedAt = receivedAt
    this.#failed = failed
    this.#timer = setInterval(() => void this.#renew(), invisibleMs / 3).unref()
  }

  /**
   * Whether the message is still ours, certain also after this process has been frozen.
   *
   * @param troubledAt - what the broker said before does not count, by `performance.now()`
   */
  async stillHolds(troubledAt: number): Promise<boolean> {
    const ageMs = () => performance.now() - this.#confirmedAt
    if (ageMs() > this.#invisibleMs / 2 || this.#confirmedAt <= troubledAt) await this.#renew()
    if (ageMs() < this.#invisibleMs && this.#confirmedAt > troubledAt) return true
    this.drop()
    return false
  }

  /** @returns whether the broker knows */
  acknowledge(): Promise<boolean> {
    this.drop()
    return this.#inTurn(() => this.#consumer.ack(this.message), ACK_ATTEMPTS)
  }

  /** Lets others receive it soon. */
  async leave(): Promise<void> {
    this.drop()
    await this.#inTurn(() => this.#changeTime(HANDED_BACK_MS), 1)
  }

  /** Renews it no more. */
  drop(): void {
    clearInterval(this.#timer)
  }

  async #renew(): Promise<void> {
    const sentAt = performance.now()
    // A frozen process may have lost it: then the handle is void.
    if (sentAt - this.#confirmedAt > this.#invisibleMs) return
    const renewed = await this.#inTurn(() => this.#changeTime(this.#invisibleMs), 1)
    if (renewed) this.#confirmedAt = sentAt
  }

  async #changeTime(invisibleMs: number): Promise<void> {
    const { message } = this
    await this.#consumer.changeInvisibleDuration(message, invisibleMs)
    if (typeof message.receiptHandle === 'string') message.receiptHandle = renewedHandle(message.receiptHandle)
  }

  #inTurn(request: () => Promise<unknown>, attempts: number): Promise<boolean> {
    const turn = this.#last.then(() => this.#persistently(request, attempts))
    this.#last = turn
    return turn
  }

  async #persistently(request: () => Promise<unknown>, attempts: number): Promise<boolean> {
    for (let failures = 0; ; ) {
      try {
        await request()
        return true
      } catch (error) {
        if (++failures >= attempts || (error as { code?: unknown }).code === EXPIRED) {
          this.#failed(error as Error)
          return false
        }
        await sleep(backoffMs(failures, 100, 2000))
      }
    }
  }
}
