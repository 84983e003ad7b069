import type { KafkajsConsumer, TopicPartitions } from '../kafka.js'

/** What a program has paused, which holds for consumers that stand in for a lane, too. */
export class Pauses {
  readonly #standIns = new Set<KafkajsConsumer>()
  /** By topic: partitions, or all of them. */
  readonly #paused = new Map<string, Set<number> | 'all'>()

  join(consumer: KafkajsConsumer): void {
    this.#standIns.add(consumer)
    for (const [topic, partitions] of this.#paused) {
      consumer.pause([{ topic, ...(partitions !== 'all' && { partitions: [...partitions] }) }])
    }
  }

  leave(consumer: KafkajsConsumer): void {
    this.#standIns.delete(consumer)
  }

  pause(topics: readonly TopicPartitions[]): void {
    for (const { topic, partitions } of topics) {
      const before = this.#paused.get(topic)
      if (partitions === undefined || before === 'all') this.#paused.set(topic, 'all')
      else this.#paused.set(topic, new Set([...(before ?? []), ...partitions]))
    }
    for (const consumer of this.#standIns) consumer.pause(topics)
  }

  resume(topics: readonly TopicPartitions[]): void {
    for (const { topic, partitions } of topics) {
      const before = this.#paused.get(topic)
      if (partitions === undefined || before === 'all' || before === undefined) this.#paused.delete(topic)
      else for (const partition of partitions) before.delete(partition)
    }
    for (const consumer of this.#standIns) consumer.resume(topics)
  }
}
