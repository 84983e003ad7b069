import type { Method } from '../kafka.js'
import type { Fetched } from './fetched.js'

const LOG_APPEND_TIME = 0b1000

/**
 * Gives messages of topics with `message.timestamp.type=LogAppendTime` the broker's time. The client reads the producer's,
 * which the broker leaves in the records: Kafka's own clients and kafkajs would decide otherwise who owns a message.
 */
export function useAppendTimes(consumer: object): void {
  const { fetch } = consumer as { fetch: Method }
  Object.assign(consumer, {
    fetch(options: unknown, done?: Method) {
      if (done === undefined) return fetch.call(consumer, options).then(withAppendTimes)
      return fetch.call(consumer, options, (error: unknown, fetched: Fetched) =>
        done(error, error ? fetched : withAppendTimes(fetched)),
      )
    },
  })
}

function withAppendTimes(fetched: Fetched): Fetched {
  for (const { partitions } of fetched.responses) {
    for (const { records } of partitions) {
      for (const batch of records ?? []) {
        if ((batch.attributes & LOG_APPEND_TIME) === 0) continue
        batch.firstTimestamp = batch.maxTimestamp
        for (const record of batch.records) record.timestampDelta = 0n
      }
    }
  }
  return fetched
}
