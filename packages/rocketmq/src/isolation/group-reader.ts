import { setTimeout as sleep } from 'node:timers/promises'
import { runInLane } from '@laneway/core'
import { backoffMs } from '@laneway/core/internal'
import type { ReceivedMessage, SimpleConsumer } from '../rocketmq.js'
import { Hold } from './hold.js'
import { type Aside, Places } from './places.js'

const COUNT = 32
/** Requests that are further apart say nothing of the time between: the process or the broker may have been frozen. */
const PAUSE_MS = 15_000
/** What became of a message: acknowledged, handed back, or to come again after its time. */
type Ended = 'done' | 'left' | 'failed'

export interface GroupReaderOptions {
  /** Makes the client, not started. */
  readonly open: () => SimpleConsumer
  /** How many requests bring every topic to the broker. */
  readonly rounds: number
  readonly concurrency: number
  readonly invisibleMs: number
  /** `done`: acknowledge. `leave`: another consumer shall have it soon. A rejection: it comes again later. */
  readonly handle: (message: ReceivedMessage, aside: Aside) => Promise<'done' | 'leave'>
  readonly failed: (error: Error, message?: ReceivedMessage) => void
}

/** Receives the messages of a group. Those whose handlers run stay invisible to others, however long that takes. */
export class GroupReader {
  readonly #options: GroupReaderOptions
  readonly #running = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #aborted: Promise<void>
  readonly #firstRounds: Promise<void>
  #rounds = () => {}
  readonly #places = new Places()
  #consumer: SimpleConsumer | undefined
  /** When a message could not be acknowledged. It is handled again, and no others are begun that would be, too. */
  #troubledAt = Number.NEGATIVE_INFINITY
  /** Until when one message is received at a time, by `performance.now()`. */
  #singlyUntil = Number.NEGATIVE_INFINITY
  #loop: Promise<void> | undefined
  /** Since when the broker has been asked without a pause and has answered, by `performance.now()`. */
  #answersSince = Number.POSITIVE_INFINITY
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(options: GroupReaderOptions) {
    this.#options = options
    const { signal } = this.#abort
    this.#aborted = new Promise(resolve => signal.addEventListener('abort', () => resolve()))
    signal.addEventListener('abort', () => this.#places.close())
    this.#firstRounds = new Promise(resolve => {
      this.#rounds = resolve
    })
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** Resolves once the broker has been asked for every topic, so that the group has its place in each queue; or by closing. */
  async reads(): Promise<void> {
    await Promise.race([this.#firstRounds, this.#aborted])
  }

  /** How long the broker has been asked since a moment, with nothing under way now; 0 after a pause or a failure. */
  quietMs(since: number): number {
    return this.#running.size > 0 ? 0 : Math.max(0, this.#answeredAt - Math.max(since, this.#answersSince))
  }

  /** Takes no more messages, leaves those that have not begun to others, ends those that run. */
  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    await this.#loop
    await Promise.all(this.#running)
    await this.#consumer?.shutdown()
  }

  async #run(): Promise<void> {
    const { open, invisibleMs, failed } = this.#options
    const { signal } = this.#abort
    let rounds = 0
    for (let failures = 0; !signal.aborted; ) {
      try {
        this.#consumer ??= await started(open())
        const receivedAt = performance.now()
        const messages = await this.#consumer.receive(receivedAt < this.#singlyUntil ? 1 : COUNT, invisibleMs)
        failures = 0
        if (++rounds === this.#options.rounds) this.#rounds()
        this.#answered(performance.now())
        await this.#take(this.#consumer, messages, receivedAt)
      } catch (error) {
        if (signal.aborted) return
        this.#answersSince = Number.POSITIVE_INFINITY
        failed(error as Error)
        await sleep(backoffMs(failures++, 100, 5000), undefined, { signal }).catch(() => {})
      }
    }
  }

  #answered(now: number): void {
    if (now - this.#answeredAt > PAUSE_MS || this.#answersSince > now) this.#answersSince = now
    this.#answeredAt = now
  }

  async #take(consumer: SimpleConsumer, messages: readonly ReceivedMessage[], receivedAt: number): Promise<void> {
    const { concurrency, invisibleMs, failed } = this.#options
    const holds = messages.map(message => new Hold(consumer, message, invisibleMs, receivedAt, failed))
    // All are of one queue. Behind a FIFO message that was not acknowledged the broker hands out all of them again.
    const inOrder = messages.some(({ messageGroup }) => Boolean(messageGroup))
    if (inOrder && messages.some(({ deliveryAttempt = 1 }) => deliveryAttempt > 1)) this.#receiveSingly()
    let end = 'done' as Ended
    for (const [index, hold] of holds.entries()) {
      await this.#places.take(inOrder ? 1 : concurrency)
      if (this.#abort.signal.aborted || (inOrder && end !== 'done')) {
        this.#places.release()
        await this.#putBack(holds.slice(index), inOrder ? end : 'done')
        return
      }
      if (!(await hold.stillHolds(this.#troubledAt))) {
        this.#places.release()
        end = 'failed'
        continue
      }
      const aside: Aside = wait => (inOrder ? wait() : this.#places.aside(wait, concurrency))
      const running = this.#handle(hold, aside)
        .then(ended => {
          end = ended
        })
        .finally(() => {
          this.#running.delete(running)
          this.#places.release()
        })
      this.#running.add(running)
    }
  }

  async #putBack(holds: readonly Hold[], end: Ended): Promise<void> {
    if (end === 'failed') {
      this.#receiveSingly()
      for (const hold of holds) hold.drop()
    } else await Promise.all(holds.map(hold => hold.leave()))
  }

  /** For a while: what is received with a FIFO message that fails comes nearer to the dead letters with it. */
  #receiveSingly(): void {
    this.#singlyUntil = performance.now() + 2 * this.#options.invisibleMs
  }

  async #handle(hold: Hold, aside: Aside): Promise<Ended> {
    try {
      if ((await this.#options.handle(hold.message, aside)) === 'leave') {
        await hold.leave()
        return 'left'
      }
      if (await hold.acknowledge()) return 'done'
      this.#troubledAt = performance.now()
    } catch (error) {
      hold.drop()
      this.#options.failed(error as Error, hold.message)
    }
    return 'failed'
  }
}

/** How long a client may take to start before it is helped, in milliseconds. */
const START_MS = 2000

async function started(consumer: SimpleConsumer): Promise<SimpleConsumer> {
  // With several topics version 1.0.8 may miss the broker's answer that it waits for: asking again brings another one.
  const helping = setInterval(() => askForSettings(consumer), START_MS)
  try {
    // Its timers and streams belong to no request.
    await runInLane(undefined, () => consumer.startup())
  } finally {
    clearInterval(helping)
  }
  return consumer
}

function askForSettings(consumer: SimpleConsumer): void {
  for (const endpoints of consumer.getTotalRouteEndpoints?.() ?? []) {
    consumer.telemetry?.(endpoints, consumer.settingsCommand?.())
  }
}
