// Kafka by @platformatic/kafka as timelines and chaos drive it; the producer is kafkajs.
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneConsumer } from '@laneway/kafka'
import { eachInLane } from '@laneway/messaging'
import { Admin, Consumer, Producer } from '@platformatic/kafka'

export { failsNow, idOf, openProducer, start } from './kafka-system.mjs'

/** This client asks its group by a timer, so it hands out some messages between two rebalances. */
export const IN_FLIGHT = 30
export const WINDOW_MS = 2000

/** A consumer in a process of its own, which comes back after a loss of its stream. */
export async function openMember({ server, name, lane, handle }) {
  let closing = false
  let consumer
  let reading
  let first
  const handled = new Promise(resolve => (first = resolve))
  async function open() {
    consumer = createLaneConsumer({
      platformatic: { Admin, Consumer, Producer },
      lanes: 'isolate',
      tag: lane,
      groupId: name,
      clientId: `${lane}-${process.pid}`,
      bootstrapBrokers: [`${server.host}:${server.port}`],
      retries: 20,
      retryDelay: 200,
      sessionTimeout: 6000,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTime: 300,
    })
    const stream = await consumer.consume({
      topics: [name],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      highWaterMark: 10,
    })
    stream.on('error', () => {})
    reading = eachInLane(stream, async message => {
      await handle(message)
      await message.commit()
      first()
    }).catch(() => {})
    reading.then(async () => {
      if (closing) return
      await consumer.close(true).catch(() => {})
      await retry()
    })
  }
  async function retry() {
    for (;;) {
      try {
        return await open()
      } catch {
        await consumer?.close(true).catch(() => {})
        await sleep(300)
      }
    }
  }
  await retry()
  if (lane !== 'base') await Promise.race([handled, sleep(8000)])
  return {
    async close() {
      closing = true
      await consumer.close(true)
      await reading
    },
  }
}
