import { runInLane } from '@laneway/core'
import { decide } from '../decide.js'
import type { KafkaMessage, Method, Methods } from '../kafka.js'
import { type KafkaSettings, refuseIsolation } from '../lane-kafka-options.js'

interface RunConfig {
  readonly eachMessage?: Method
  readonly eachBatch?: Method
}

/** Makes a consumer of kafkajs handle each message in its lane, and each batch in none. */
export function tagKafkajsConsumer(consumer: Methods, settings: KafkaSettings): void {
  const { run } = consumer
  Object.assign(consumer, {
    run(config?: RunConfig) {
      refuseIsolation(config)
      const { eachMessage, eachBatch } = config ?? {}
      const inLanes = {
        ...config,
        ...(typeof eachMessage === 'function' && { eachMessage: inLaneOfMessage(eachMessage, settings) }),
        ...(typeof eachBatch === 'function' && { eachBatch: inNoLane(eachBatch, settings) }),
      }
      // It starts the loop that fetches: in the lane of whoever calls it, retries and events would run in that.
      return runInLane(undefined, () => run!.call(consumer, inLanes))
    },
  })
}

function inLaneOfMessage(eachMessage: Method, settings: KafkaSettings): Method {
  return payload => runInLane(decide(payload.message, payload.topic, settings).lane, eachMessage, payload)
}

function inNoLane(eachBatch: Method, settings: KafkaSettings): Method {
  return payload => {
    const { topic, messages } = payload.batch as { topic: string; messages: KafkaMessage[] }
    for (const message of messages) decide(message, topic, settings)
    return runInLane(undefined, eachBatch, payload)
  }
}
