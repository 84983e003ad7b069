// The ledger in the long run, on a real Kafka: a lane that ends with messages left, and comes back; a ledger that is compacted.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import { END_LEAD_MS, LEAD_MS, ledgerKey, ledgerValue } from '@laneway/messaging/internal'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { makeTopic } from './make-topic.mjs'
import { until } from './until.mjs'

let broker
let admin
let producer
const open = []
const newClient = () =>
  new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, retries: 20 } })

before(async () => {
  broker = await startKafka({ 'log.cleaner.backoff.ms': 500 })
  const plain = newClient()
  admin = plain.admin()
  producer = plain.producer({ idempotent: true, maxInFlightRequests: 1 })
  await Promise.all([admin.connect(), producer.connect()])
})
after(async () => {
  await Promise.all(open.map(one => one.disconnect().catch(() => {})))
  await Promise.all([admin, producer].map(one => one.disconnect()))
  await broker.stop()
})

async function instance(tag, topic, seen, options = {}) {
  const consumer = laneKafka(newClient(), { tag }).consumer({
    groupId: topic,
    lanes: 'isolate',
    sessionTimeout: 6000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 300,
    ...options,
  })
  open.push(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => {
      seen.push(`${message.value} by ${tag} in ${currentLane()?.header}`)
    },
  })
  return consumer
}

const send = (topic, values) =>
  producer.send({ topic, messages: values.map(value => ({ value, headers: { 'x-mse-tag': 'gray' } })) })

const append = (group, record) =>
  producer.send({
    topic: 'laneway.lanes',
    messages: [{ key: ledgerKey(group, 'gray'), value: ledgerValue(record) }],
  })

describe('the ledger', { concurrency: 4 }, () => {
  test('a lane ends with messages left: base stands in to the end; the lane comes back with a new announcement', async () => {
    const topic = 'ended'
    await makeTopic(admin, topic, { numPartitions: 2 })
    const seen = []
    // Stands in late, so that messages are left at the end.
    await instance('base', topic, seen, { standInAfterMs: END_LEAD_MS + 5000 })
    const gray = await instance('gray', topic, seen)
    await sleep(LEAD_MS + 500)
    await send(topic, ['a'])
    await until(() => seen.length === 1)
    await gray.disconnect()
    await append(topic, { end: true })
    await send(topic, ['b', 'c'])
    await sleep(END_LEAD_MS + 500)
    await send(topic, ['d'])
    await until(() => seen.length === 4)
    assert.deepEqual(seen.toSorted(), [
      'a by gray in gray',
      'b by base in gray',
      'c by base in gray',
      'd by base in gray',
    ])
    await instance('gray', topic, seen)
    await send(topic, ['e'])
    await until(() => seen.length === 5)
    assert.equal(seen[4], 'e by base in gray', 'within the lead')
    await sleep(LEAD_MS + 500)
    await send(topic, ['f'])
    await until(() => seen.length === 6)
    await sleep(2000)
    assert.deepEqual(seen.slice(5), ['f by gray in gray'])
  })

  test('a ledger that was compacted says the same to those who read it later', async () => {
    const topic = 'compacted'
    await makeTopic(admin, topic, { numPartitions: 1 })
    const seen = []
    const first = await instance('base', topic, seen)
    await instance('gray', topic, seen)
    // Records of others come and go.
    const keys = Array.from({ length: 50 }, () => ledgerKey('others', 'blue'))
    const value = ledgerValue({ start: {} })
    await admin.alterConfigs({
      resources: [
        {
          type: 2,
          name: 'laneway.lanes',
          configEntries: Object.entries({
            'cleanup.policy': 'compact',
            'message.timestamp.type': 'LogAppendTime',
            'segment.ms': '200',
            'min.cleanable.dirty.ratio': '0.01',
            'delete.retention.ms': '100',
          }).map(([name, value]) => ({ name, value })),
        },
      ],
    })
    for (const value_ of [value, null]) {
      for (const key of keys) await producer.send({ topic: 'laneway.lanes', messages: [{ key, value: value_ }] })
    }
    const records = async () => {
      const reader = newClient().consumer({ groupId: `reads-${Math.random()}` })
      await reader.connect()
      await reader.subscribe({ topic: 'laneway.lanes', fromBeginning: true })
      const [{ high }] = await admin.fetchTopicOffsets('laneway.lanes')
      let count = 0
      let last = -1
      await reader.run({
        eachMessage: async ({ message }) => {
          count++
          last = Number(message.offset)
        },
      })
      await until(() => last === Number(high) - 1)
      await reader.disconnect()
      return { count, high: Number(high) }
    }
    await until(async () => {
      await producer.send({ topic: 'laneway.lanes', messages: [{ key: ledgerKey('others', 'red'), value }] })
      const { count, high } = await records()
      return count < high - 50
    }, 60_000)
    await first.disconnect()
    await instance('base', topic, seen)
    await send(topic, ['a', 'b'])
    await until(() => seen.length === 2)
    await sleep(1000)
    assert.deepEqual(seen, ['a by gray in gray', 'b by gray in gray'])
  })
})
