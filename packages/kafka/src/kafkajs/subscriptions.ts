import type { LogBroker } from '../isolation/log-broker.js'
import type { KafkajsConsumer } from '../kafka.js'

/** What a program has subscribed to, for the consumers that stand in for a lane. */
export class Subscriptions {
  readonly #all: Record<string, unknown>[] = []

  add(subscription: Record<string, unknown>): void {
    this.#all.push({ ...subscription })
  }

  /** Subscribes another consumer. It begins at committed offsets, or where the ledger says: at first, at the beginning. */
  async repeat(consumer: KafkajsConsumer): Promise<void> {
    for (const subscription of this.#all) await consumer.subscribe({ ...subscription, fromBeginning: true })
  }

  /** The topics by name. */
  async topics(broker: Pick<LogBroker, 'topics'>): Promise<readonly string[]> {
    const wanted = this.#all.flatMap(({ topic, topics }) => (topics as (string | RegExp)[] | undefined) ?? [topic])
    const names = new Set(wanted.filter(one => typeof one === 'string'))
    const patterns = wanted.filter(one => one instanceof RegExp)
    if (patterns.length === 0) return [...names]
    for (const name of await broker.topics()) if (patterns.some(pattern => pattern.test(name))) names.add(name)
    return [...names]
  }
}
