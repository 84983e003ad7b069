import type { KafkajsMessage } from '../kafka.js'

export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly KafkajsMessage[]
  lastOffset(): string
}

/** What an `eachBatch` of kafkajs is given. */
export interface BatchPayload {
  readonly batch: Batch
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
}

/**
 * A batch with some of its messages left out. To resolve a message also resolves those left out behind it, so that they are
 * committed with it; `lastOffset()` stays that of the whole batch.
 */
export function withGaps(payload: BatchPayload, kept: readonly KafkajsMessage[]): BatchPayload {
  const { batch } = payload
  if (kept.length === batch.messages.length) return payload
  return {
    ...payload,
    batch: Object.create(batch, { messages: { value: kept, enumerable: true } }),
    resolveOffset(offset) {
      const next = kept.find(message => BigInt(message.offset) > BigInt(offset))
      const through = next === undefined ? batch.lastOffset() : `${BigInt(next.offset) - 1n}`
      payload.resolveOffset(BigInt(through) > BigInt(offset) ? through : offset)
    },
  }
}
