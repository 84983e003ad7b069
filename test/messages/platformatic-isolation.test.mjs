// Lanes kept apart in @platformatic/kafka, on a real Kafka.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { createLaneConsumer, laneKafka } from '@laneway/kafka'
import { eachInLane } from '@laneway/messaging'
import { LaneLedgerView } from '@laneway/messaging/internal'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { makeTopic } from './make-topic.mjs'
import { until } from './until.mjs'

const client = await import(process.env.PLATFORMATIC_KAFKA ?? '@platformatic/kafka')
let broker
let admin
let producer
let count = 0
const open = []
const LEAD_MS = 6200

before(async () => {
  broker = await startKafka()
  const retry = { initialRetryTime: 100, retries: 20 }
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING, retry })
  admin = kafka.admin()
  producer = kafka.producer()
  await Promise.all([admin.connect(), producer.connect()])
})
after(async () => {
  await Promise.all(open.map(one => one.close(true).catch(() => {})))
  await Promise.all([admin, producer].map(one => one.disconnect()))
  await broker.stop()
})

async function newTopic(partitions = 1, configEntries = []) {
  const topic = `platformatic-${++count}`
  await makeTopic(admin, topic, { numPartitions: partitions, configEntries })
  return topic
}

const optionsOf = (tag, topic, more = {}) => ({
  platformatic: client,
  lanes: 'isolate',
  tag,
  groupId: topic,
  clientId: `${tag}-${++count}`,
  bootstrapBrokers: [broker.address],
  deserializers: client.stringDeserializers,
  sessionTimeout: 6000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 500,
  maxWaitTime: 300,
  ...more,
})

/** An instance of a service, which notes what it handles. */
async function instance(tag, topic, seen, { consume = {}, ...more } = {}) {
  const consumer = createLaneConsumer(optionsOf(tag, topic, more))
  open.push(consumer)
  const options = { topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: true, ...consume }
  const stream = await runInLane('red', () => consumer.consume(options))
  let underWay = 0
  stream.on('data', async message => {
    seen.push({ id: message.value, who: tag, lane: currentLane()?.header ?? 'none' })
    if (options.autocommit !== false) return
    underWay++
    await message.commit()
    underWay--
  })
  async function close() {
    // Version 2 sends one commit at a time, and does not wait for those behind it.
    await until(() => underWay === 0)
    await consumer.close(true)
  }
  return { consumer, stream, close }
}

/** A program that handles one message after another and commits each. @returns the consumer, and the loop's end */
async function loop(tag, topic, handle, more = {}) {
  const consumer = createLaneConsumer(optionsOf(tag, topic, { autocommit: false, ...more }))
  open.push(consumer)
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
  const ended = eachInLane(stream, async message => {
    await handle(message.value)
    await message.commit()
  })
  return { consumer, ended }
}

/** Something that a test waits for, and lets happen. */
function gate() {
  let pass
  const passed = new Promise(resolve => (pass = resolve))
  return { pass, passed }
}

const committedIn = async (groupId, topic) => {
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  return partitions.map(({ offset }) => Number(offset))
}

const send = (topic, list) =>
  producer.send({
    topic,
    messages: list.map(([value, tag, partition]) => ({
      value,
      ...(partition !== undefined && { partition }),
      ...(tag && { headers: { 'x-mse-tag': tag } }),
    })),
  })

/** As when the coordinator cannot be reached. */
function failNextHeartbeat(consumer) {
  let owner = consumer
  const isGetApi = symbol => symbol.description.endsWith('getApi')
  while (!Object.getOwnPropertySymbols(owner).some(isGetApi)) owner = Object.getPrototypeOf(owner)
  const getApi = Object.getOwnPropertySymbols(owner).find(isGetApi)
  const original = consumer[getApi]
  consumer[getApi] = (name, done) => {
    if (name !== 'Heartbeat') return original.call(consumer, name, done)
    delete consumer[getApi]
    return done(new client.NetworkError('away', { canRetry: false }))
  }
}

const handledBy = (seen, who) =>
  seen
    .filter(one => one.who === who)
    .map(({ id, lane }) => `${id}:${lane}`)
    .sort()

describe('isolation of @platformatic/kafka', { concurrency: 8 }, () => {
  for (const groupProtocol of ['classic', 'consumer']) {
    for (const autocommit of [true, false]) {
      test(`base, lane and stand-in, groupProtocol ${groupProtocol}, autocommit ${autocommit}`, async () => {
        const topic = await newTopic(2)
        const seen = []
        const more = { groupProtocol, assumeBase: groupProtocol === 'consumer', consume: { autocommit } }
        await instance('base', topic, seen, more)
        const gray = await instance('gray', topic, seen, more)
        await sleep(LEAD_MS)
        await send(topic, [['a'], ['b', 'gray'], ['c', 'blue'], ['d', 'red,gray'], ['e', 'base,gray']])
        await until(() => seen.length === 5)
        assert.deepEqual(handledBy(seen, 'gray'), ['b:gray', 'd:red,gray'])
        assert.deepEqual(handledBy(seen, 'base'), ['a:none', 'c:blue', 'e:base,gray'])
        await gray.close()
        await send(topic, [['f', 'gray'], ['g'], ['h', 'gray'], ['i', 'gray']])
        await until(() => seen.length === 9)
        assert.deepEqual(handledBy(seen.slice(5), 'base'), ['f:gray', 'g:none', 'h:gray', 'i:gray'])
        await instance('gray', topic, seen, more)
        await send(topic, [['j', 'gray'], ['k']])
        await until(() => seen.length === 11)
        assert.ok(handledBy(seen, 'gray').includes('j:gray'))
        await sleep(500)
        assert.equal(seen.length, 11)
      })
    }
  }

  test('what waits in a stream when the group is divided anew is handled once, and none is lost', async () => {
    const topic = await newTopic(2)
    const seen = []
    const { pass, passed } = gate()
    const first = await loop(
      'base',
      topic,
      async id => {
        seen.push(id)
        await passed
      },
      { maxWaitTime: 5000 },
    )
    const batch = (name, size) => Array.from({ length: size }, (_, i) => [`${name}${i}`, undefined, i % 2])
    await send(topic, batch('a', 40))
    await until(() => seen.length === 1)
    // The stream holds the others, and waits at the broker for what comes next.
    const divided = new Promise(resolve => first.consumer.once('consumer:group:join', resolve))
    await loop('base', topic, async id => seen.push(id))
    await divided
    await send(topic, batch('b', 20))
    await sleep(500)
    pass()
    await until(() => new Set(seen).size === 60)
    await sleep(1000)
    // The message under way may belong to the other by now.
    assert.ok(seen.length <= 61, `${seen.length} of 60`)
  })

  test('a stand-in whose message the lane has read again does not take its progress back', async () => {
    const topic = await newTopic()
    const seen = []
    const { pass, passed } = gate()
    await loop('base', topic, async id => {
      seen.push(`${id} by base`)
      if (id === 'a') await passed
    })
    const gray = () => loop('gray', topic, async id => seen.push(`${id} by gray`))
    const before = await gray()
    await sleep(LEAD_MS)
    await before.consumer.close(true)
    await send(topic, [['a', 'gray']])
    await until(() => seen.includes('a by base'))
    const again = await gray()
    await until(() => seen.includes('a by gray'))
    await send(topic, [
      ['b', 'gray'],
      ['c', 'gray'],
    ])
    await until(async () => (await committedIn(`${topic}_gray`, topic))[0] === 3)
    pass()
    await send(topic, [['d']])
    await until(() => seen.includes('d by base'))
    assert.deepEqual(await committedIn(`${topic}_gray`, topic), [3])
    await again.consumer.close(true)
    await send(topic, [['e', 'gray']])
    await until(() => seen.includes('e by base'))
    assert.deepEqual(seen, ['a by base', 'a by gray', 'b by gray', 'c by gray', 'd by base', 'e by base'])
  })

  test('a member whose heartbeat has failed joins its group again', async () => {
    const topic = await newTopic()
    const seen = []
    const { consumer } = await loop('base', topic, async id => seen.push(id))
    await send(topic, [['a']])
    await until(() => seen.length === 1)
    const failed = new Promise(resolve => consumer.once('consumer:heartbeat:error', resolve))
    failNextHeartbeat(consumer)
    await failed
    await until(() => consumer.isActive())
    await send(topic, [['b']])
    await until(() => seen.length === 2)
    assert.deepEqual(seen, ['a', 'b'])
  })

  test('while the ledger cannot be read a message with a lane waits with those behind it, other partitions go on', async () => {
    const topic = await newTopic(2)
    const seen = []
    await instance('base', topic, seen)
    const { canDecide } = LaneLedgerView.prototype
    LaneLedgerView.prototype.canDecide = function () {
      return this.group !== topic && canDecide.call(this)
    }
    await send(topic, [
      ['t', 'gray', 0],
      ['behind', undefined, 0],
      ['u', undefined, 1],
    ])
    await until(() => seen.length === 1)
    await sleep(2000)
    assert.deepEqual(handledBy(seen, 'base'), ['u:none'])
    LaneLedgerView.prototype.canDecide = canDecide
    await until(() => seen.length === 3)
    await send(topic, [['later', undefined, 0]])
    await until(() => seen.length === 4)
    assert.deepEqual(
      seen.map(({ id }) => id),
      ['u', 't', 'behind', 'later'],
    )
  })

  test("beside kafkajs: one ledger, and the broker's time where the topic has it", async () => {
    const topic = await newTopic(1, [{ name: 'message.timestamp.type', value: 'LogAppendTime' }])
    const seen = []
    await instance('base', topic, seen)
    const kafka = laneKafka(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }), { tag: 'gray' })
    const gray = kafka.consumer({ groupId: topic, lanes: 'isolate', sessionTimeout: 6000, heartbeatInterval: 500 })
    await gray.connect()
    await gray.subscribe({ topic })
    await gray.run({
      eachMessage: async ({ message }) => seen.push({ id: `${message.value}`, who: 'gray', lane: 'gray' }),
    })
    await sleep(LEAD_MS)
    // The producer's clock is an hour behind.
    const headers = { 'x-mse-tag': 'gray' }
    await producer.send({ topic, messages: [{ value: 'a', headers, timestamp: `${Date.now() - 3_600_000}` }] })
    await until(() => seen.length === 1)
    await sleep(1000)
    assert.deepEqual(seen, [{ id: 'a', who: 'gray', lane: 'gray' }])
    await gray.disconnect()
  })

  test('a lane waits while its base may be in a group of KIP-848, whose members say nothing, whichever client it uses', async () => {
    const topic = await newTopic()
    const foreign = new client.Consumer({
      groupProtocol: 'consumer',
      groupId: topic,
      clientId: `foreign-${++count}`,
      bootstrapBrokers: [broker.address],
    })
    await foreign.consume({ topics: [topic], mode: 'earliest' })
    const warnings = []
    const warn = text => warnings.push(text)
    const consumer = createLaneConsumer(optionsOf('gray', topic, { warn }))
    open.push(consumer)
    let begun = false
    const beginning = consumer.consume({ topics: [topic] }).then(() => (begun = true))
    const kafka = laneKafka(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }), { tag: 'blue', warn })
    const blue = kafka.consumer({ groupId: topic, lanes: 'isolate' })
    await blue.connect()
    await blue.subscribe({ topic })
    await blue.run({ eachMessage: async () => {} })
    await until(() => warnings.length === 2)
    for (const tag of ['gray', 'blue']) {
      const says = new RegExp(`lane ${tag} waits, because members of group "${topic}" use the protocol of KIP-848`)
      assert.ok(warnings.some(text => says.test(text)))
    }
    await blue.disconnect()
    assert.equal(begun, false)
    await foreign.close(true)
    await beginning
  })

  test('wrong options and streams by hand are refused, lanes with an unseen base too; callbacks work', async () => {
    const topic = await newTopic()
    const refused = { code: 'LANEWAY_INVALID_OPTION' }
    assert.throws(() => createLaneConsumer(optionsOf('base', topic, { platformatic: {} })), refused)
    const unseen = optionsOf('gray', topic, { groupProtocol: 'consumer' })
    assert.throws(() => createLaneConsumer(unseen), { ...refused, message: /groupProtocol is 'consumer'.* assumeBase/ })
    assert.throws(() => createLaneConsumer(optionsOf('base', '')), refused)
    const consumer = createLaneConsumer(optionsOf('base', topic))
    open.push(consumer)
    const offsets = [{ topic, partition: 0, offset: 0n }]
    await assert.rejects(consumer.consume({ topics: [topic], mode: 'manual', offsets }), refused)
    const stream = await new Promise((resolve, reject) =>
      consumer.consume({ topics: [topic], mode: 'latest' }, (error, made) => (error ? reject(error) : resolve(made))),
    )
    assert.equal(stream.consumer, consumer)
    await new Promise((resolve, reject) => consumer.close(true, error => (error ? reject(error) : resolve())))
  })
})
