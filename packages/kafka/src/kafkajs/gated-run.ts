import { runInLane } from '@laneway/core'
import { type Delivery, deliveries } from '../isolation/delivery.js'
import type { Gate, Verdict } from '../isolation/gate.js'
import type { StartOffsets } from '../isolation/start-offsets.js'
import type { KafkajsConsumer, KafkajsMessage, Method } from '../kafka.js'
import { type BatchPayload, withGaps } from './gap-batch.js'

/** How one consumer of kafkajs gets its messages. */
export interface GatedConsumer {
  readonly consumer: KafkajsConsumer
  readonly gate: Gate
  /** In a lane's group. */
  readonly starts?: StartOffsets
  readonly delivery?: Delivery
}

interface MessagePayload {
  readonly topic: string
  readonly partition: number
  readonly message: KafkajsMessage
  heartbeat(): Promise<void>
}

export interface RunConfig {
  readonly eachMessage?: Method
  readonly eachBatch?: Method
  readonly eachBatchAutoResolve?: boolean
}

/** A run of the program that handles only what is its own. */
export function gatedRun(config: RunConfig, gated: GatedConsumer): Record<string, unknown> {
  const { eachMessage, eachBatch, eachBatchAutoResolve = true } = config
  return {
    ...config,
    ...(typeof eachMessage === 'function' && { eachMessage: gatedMessage(eachMessage, gated) }),
    ...(typeof eachBatch === 'function' && { eachBatch: gatedBatch(eachBatch, eachBatchAutoResolve, gated) }),
  }
}

function gatedMessage(eachMessage: Method, { consumer, gate, starts, delivery }: GatedConsumer): Method {
  const handle = delivering(eachMessage, delivery)
  const handleOwn = ({ owner, lane }: Verdict, payload: MessagePayload) =>
    owner === 'own' ? runInLane(lane, handle, payload) : undefined

  async function settled(payload: MessagePayload, timestampMs: number): Promise<void> {
    const { topic, message } = payload
    await handleOwn(await gate.settle(message, topic, timestampMs, () => payload.heartbeat()), payload)
  }

  async function atStart(payload: MessagePayload, starts: StartOffsets): Promise<void> {
    const { topic, partition, message } = payload
    const start = await starts.before(topic, partition, message.offset)
    // kafkajs drops what it has fetched before, and commits the new place.
    if (start === undefined) await decided(payload)
    else consumer.seek({ topic, partition, offset: start })
  }

  /** No promise for a message that is skipped: most of a lane's group is. */
  function decided(payload: MessagePayload): unknown {
    const { topic, message } = payload
    const timestampMs = Number(message.timestamp)
    const verdict = gate.decide(message, topic, timestampMs)
    return verdict.owner === 'wait' ? settled(payload, timestampMs) : handleOwn(verdict, payload)
  }

  return (payload: MessagePayload) =>
    starts === undefined || starts.hasPassed(payload.topic, payload.partition)
      ? decided(payload)
      : atStart(payload, starts)
}

function gatedBatch(
  eachBatch: Method,
  autoResolve: boolean,
  { consumer, gate, starts, delivery }: GatedConsumer,
): Method {
  const handle = delivering(eachBatch, delivery)
  return async (payload: BatchPayload) => {
    const { batch } = payload
    const { topic, partition, messages } = batch
    let start: string | undefined
    if (starts !== undefined && !starts.hasPassed(topic, partition)) {
      start = await starts.before(topic, partition, messages[0]!.offset)
      // What kafkajs commits for this batch must not lie behind the start.
      if (start !== undefined && BigInt(batch.lastOffset()) < BigInt(start)) {
        consumer.seek({ topic, partition, offset: start })
        return
      }
    }
    const kept: KafkajsMessage[] = []
    for (const message of messages) {
      if (start !== undefined && BigInt(message.offset) < BigInt(start)) continue
      const timestampMs = Number(message.timestamp)
      let { owner } = gate.decide(message, topic, timestampMs)
      if (owner === 'wait') {
        owner = (await gate.settle(message, topic, timestampMs, () => payload.heartbeat())).owner
      }
      if (owner === 'own') kept.push(message)
    }
    if (kept.length > 0) await runInLane(undefined, handle, withGaps(payload, kept))
    else if (!autoResolve) payload.resolveOffset(batch.lastOffset())
  }
}

function delivering(handler: Method, delivery: Delivery | undefined): Method {
  if (delivery === undefined) return handler
  return payload => deliveries.run(delivery, handler, payload)
}
