import { channels, type GroupConsumer } from '@laneway/core'

/** What this process does for a consumer group that keeps lanes apart, told on `laneway:group` for metrics. */
export class GroupReport {
  readonly #group: string
  readonly #ageMs: () => number
  readonly #consumers = new Set<GroupConsumer>()

  /**
   * @param group - of base
   * @param ageMs - how old what is known of the lanes is
   */
  constructor(group: string, ageMs: () => number) {
    this.#group = group
    this.#ageMs = ageMs
  }

  /**
   * Says that a consumer of this process joined.
   *
   * @returns says that it left
   */
  joined(consumer: GroupConsumer): () => void {
    this.#consumers.add(consumer)
    this.#publish()
    return () => {
      if (this.#consumers.delete(consumer)) this.#publish()
    }
  }

  /** Says that more is known of the lanes. */
  refreshed(): void {
    if (this.#consumers.size > 0) this.#publish()
  }

  /** Says that every consumer left. */
  close(): void {
    if (this.#consumers.size === 0) return
    this.#consumers.clear()
    this.#publish()
  }

  #publish(): void {
    if (!channels.group.hasSubscribers) return
    channels.group.publish({
      group: this.#group,
      ledger: this,
      consumers: [...this.#consumers],
      ageMs: this.#ageMs(),
    })
  }
}
