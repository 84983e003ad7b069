// Lanes in kafkajs on a real Kafka.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import { eachInLane, messageLane, messages } from '@laneway/messaging'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { until } from './until.mjs'

let broker
let plain
let kafka
const open = []
const lane = () => currentLane()?.header ?? 'none'
const text = ({ value, headers }) => `${value}:${lane()}:${headers['x-mse-tag'] ?? 'none'}`

before(async () => {
  broker = await startKafka()
  plain = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  kafka = laneKafka(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }), {})
})
after(async () => {
  await Promise.all(open.map(one => one.disconnect()))
  await broker.stop()
})

async function connected(one) {
  open.push(one)
  await one.connect()
  return one
}

/** Opened in a lane, as a request does that is the first to need it. */
function consume(topic, config, client = kafka) {
  return runInLane('blue', async () => {
    const consumer = await connected(client.consumer({ groupId: `${topic}-group` }))
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run(config)
    assert.equal(lane(), 'blue', 'who opens it stays in its lane')
  })
}

test('send, sendBatch and transactions carry the lane of the call; each message is handled in its lane', async () => {
  const seen = []
  const producer = await connected(kafka.producer())
  const transactional = await connected(
    kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true }),
  )
  const one = (value, headers) => ({ value, ...(headers && { headers }) })
  await Promise.all(
    [undefined, 'gray', 'red'].map((tag, i) =>
      runInLane(tag, () =>
        producer.send({ topic: 'orders', messages: [one(`${i}`), one(`own ${i}`, { 'x-mse-tag': 'green' })] }),
      ),
    ),
  )
  await runInLane('gray', () =>
    producer.sendBatch({ topicMessages: [{ topic: 'orders', messages: [one('bad', { 'x-mse-tag': '-', a: '1' })] }] }),
  )
  await producer.send({ topic: 'orders', messages: [one('bad outside', { 'x-mse-tag': '-' })] })
  const transaction = await runInLane('gray', () => transactional.transaction())
  await runInLane('red', () => transaction.send({ topic: 'orders', messages: [one('tx')] }))
  await transaction.sendBatch({ topicMessages: [{ topic: 'orders', messages: [one('tx none')] }] })
  await transaction.commit()
  await consume('orders', {
    eachMessage: async ({ message }) => {
      await sleep(1)
      seen.push(text(message))
      assert.equal(messageLane(message)?.header ?? 'none', lane())
    },
  })
  await until(() => seen.length === 10)
  assert.deepEqual(seen.sort(), [
    '0:none:none',
    '1:gray:gray',
    '2:red:red',
    'bad outside:none:none',
    'bad:gray:gray',
    'own 0:green:green',
    'own 1:green:green',
    'own 2:green:green',
    'tx none:none:none',
    'tx:red:red',
  ])
})

test('a batch is handled in no lane; eachInLane handles each message of it in its lane', async () => {
  const seen = []
  const outside = []
  const producer = await connected(kafka.producer())
  for (const tag of ['gray', undefined, 'red']) {
    await runInLane(tag, () => producer.send({ topic: 'batches', messages: [{ value: `${tag}` }] }))
  }
  await consume('batches', {
    eachBatch: async payload => {
      await sleep(1)
      outside.push(lane())
      seen.push(...(await eachInLane(payload, message => sleep(1).then(() => text(message)))))
    },
  })
  await until(() => seen.length === 3)
  assert.deepEqual(seen, ['gray:gray:gray', 'undefined:none:none', 'red:red:red'])
  assert.ok(outside.every(one => one === 'none'))
})

test('a foreign value that is no lane is removed and counted, in messages and in batches', async () => {
  const values = ['-', '', 'a,b,c,d,e', Buffer.alloc(256, 'a'), ['gray', 'blue'], Buffer.alloc(100_000, 'a')]
  const producer = await connected(plain.producer())
  await producer.send({
    topic: 'foreign',
    messages: [
      ...values.map(value => ({ value: 'x', headers: { 'x-mse-tag': value, a: '1' } })),
      { value: 'list', headers: { 'x-mse-tag': ['gray', 'gray'] } },
      { value: 'proto', headers: JSON.parse('{"__proto__":"gray"}') },
      { value: null, headers: { 'x-mse-tag': 'gray' } },
    ],
  })
  const events = []
  const note = event => events.push(event)
  messages.subscribe(note)
  const expected = [
    ...values.map(() => 'x:none:none'),
    'list:gray:gray,gray',
    'proto:none:none',
    'null:gray:gray',
  ].sort()
  const single = []
  await consume('foreign', { eachMessage: async ({ message }) => single.push(text(message)) })
  await until(() => single.length === expected.length)
  assert.deepEqual(single.sort(), expected)
  const batch = []
  const consumer = laneKafka(await connected(plain.consumer({ groupId: 'foreign-batch' })), { trust: 'edge' })
  await consumer.subscribe({ topic: 'foreign', fromBeginning: true })
  await consumer.run({ eachBatch: async payload => batch.push(...(await eachInLane(payload, text))) })
  await until(() => batch.length === expected.length)
  assert.ok(
    batch.every(one => one.endsWith(':none:none')),
    'trust: edge believes no message',
  )
  messages.unsubscribe(note)
  assert.deepEqual(
    events.slice(0, expected.length).map(({ problem }) => problem),
    ['invalid', 'invalid', 'invalid', 'invalid', 'conflict', 'invalid', undefined, undefined, undefined],
  )
  assert.ok(events.every(({ system, destination }) => system === 'kafka' && destination === 'foreign'))
})

test('an instance of a lane that consumes warns once; isolation is refused', async () => {
  const warnings = []
  const gray = laneKafka(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }), {
    tag: 'gray',
    warn: text => warnings.push(text),
  })
  const seen = []
  await consume(
    'orders',
    { eachMessage: async ({ topic }) => seen.push(topic) },
    { consumer: () => gray.consumer({ groupId: 'gray' }) },
  )
  await until(() => seen.length >= 10)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /this instance of lane gray consumes "orders"/)
  assert.throws(() => gray.consumer({ groupId: 'x' }).run({ lanes: 'isolate' }), { code: 'LANEWAY_INVALID_OPTION' })
})
