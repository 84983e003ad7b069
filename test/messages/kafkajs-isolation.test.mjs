// Lanes kept apart in kafkajs, on a real Kafka.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import { messages as events } from '@laneway/messaging'
import { LaneLedgerView } from '@laneway/messaging/internal'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { makeTopic } from './make-topic.mjs'
import { until } from './until.mjs'

let broker
let plain
let admin
let producer
const open = []
const crashes = []
/** After its announcement a lane owns messages of this time and later. */
const LEAD_MS = 6200

const newClient = () =>
  new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, retries: 20 } })

before(async () => {
  broker = await startKafka({ 'log.cleaner.backoff.ms': 500 })
  plain = newClient()
  admin = plain.admin()
  producer = plain.producer()
  await Promise.all([admin.connect(), producer.connect()])
})
after(async () => {
  await Promise.all(open.map(one => one.disconnect().catch(() => {})))
  await Promise.all([admin, producer].map(one => one.disconnect()))
  await broker.stop()
})

let count = 0
async function newTopic(partitions = 2) {
  const topic = `isolated-${++count}`
  await makeTopic(admin, topic, { numPartitions: partitions })
  return topic
}

/** An instance of a service: a consumer in the group named like its topic. */
async function instance(tag, topic, runConfig, { client = newClient(), warnings = [], ...options } = {}) {
  const kafka = laneKafka(client, { tag, warn: text => warnings.push(text) })
  const consumer = kafka.consumer({
    groupId: `${topic}`,
    lanes: 'isolate',
    sessionTimeout: 6000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 300,
    ...options,
  })
  open.push(consumer)
  consumer.on(consumer.events.CRASH, ({ payload }) => crashes.push(`${topic} ${tag}: ${payload.error}`))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  // Opened in a lane, as a request does that is the first to need it.
  await runInLane('red', () => consumer.run(runConfig))
  return { consumer, kafka }
}

const noting = (seen, who) => ({
  autoCommitThreshold: 1,
  eachMessage: async ({ message, partition }) => {
    seen.push({ id: `${message.value}`, who, lane: currentLane()?.header ?? 'none', partition })
  },
})

const send = (topic, list) =>
  producer.send({
    topic,
    messages: list.map(([value, tag, partition]) => ({
      value,
      ...(partition !== undefined && { partition }),
      ...(tag && { headers: { 'x-mse-tag': tag } }),
    })),
  })

async function committed(groupId, topic) {
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  return partitions.map(({ partition, offset }) => `${partition}:${offset}`).sort()
}

async function ends(topic) {
  return (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => `${partition}:${high}`).sort()
}

/** Waits for messages, and says what the broker knows where they do not come. */
async function untilSeen(seen, length, group, topics = [group]) {
  try {
    await until(() => seen.length === length)
  } catch {
    const names = [group, `${group}_gray`]
    const { groups } = await admin.describeGroups(names)
    const state = {
      seen,
      crashes,
      groups: groups.map(({ groupId, state, members }) => [groupId, state, members.map(memberText)]),
      offsets: await Promise.all(
        names.flatMap(name => topics.map(async topic => [name, await committed(name, topic), await ends(topic)])),
      ),
    }
    throw new Error(`${seen.length} of ${length} messages were handled: ${JSON.stringify(state)}`)
  }
}

const memberText = ({ memberMetadata, memberAssignment }) =>
  [memberMetadata, memberAssignment].map(bytes => bytes.toString('latin1').replace(/[^ -~]+/g, ' ')).join('|')

const handledBy = (seen, who) =>
  seen
    .filter(one => one.who === who)
    .map(({ id, lane }) => `${id}:${lane}`)
    .sort()

/** Kafka refuses a transaction while it still closes the one before or loads its coordinator; kafkajs does not try again. */
async function inTransaction(producer, work) {
  for (let turn = 0; ; turn++) {
    let transaction
    try {
      transaction = await producer.transaction()
      await work(transaction)
      return await transaction.commit()
    } catch (error) {
      await transaction?.abort().catch(() => {})
      if (turn === 50) throw error
      await sleep(200)
    }
  }
}

/** Groups that do not hear of their ledger. */
const unread = new Set()
const { canDecide } = LaneLedgerView.prototype
LaneLedgerView.prototype.canDecide = function () {
  return !unread.has(this.group) && canDecide.call(this)
}

describe('isolation', { concurrency: 12 }, () => {
  test('base, lane and stand-in: each message on one side, in its lane; the events say which', async () => {
    const topic = await newTopic()
    const outcomes = []
    const note = event => event.destination === topic && outcomes.push(`${event.lane?.header}:${event.outcome}`)
    events.subscribe(note)
    const seen = []
    await instance('base', topic, noting(seen, 'base'))
    const { consumer: gray } = await instance('gray', topic, noting(seen, 'gray'))
    await sleep(LEAD_MS)
    await send(topic, [['a'], ['b', 'gray'], ['c', 'blue'], ['d', 'red,gray'], ['e', 'base,gray']])
    await untilSeen(seen, 5, topic)
    assert.deepEqual(handledBy(seen, 'gray'), ['b:gray', 'd:red,gray'])
    assert.deepEqual(handledBy(seen, 'base'), ['a:none', 'c:blue', 'e:base,gray'])
    await gray.disconnect()
    await send(topic, [['f', 'gray'], ['g']])
    await untilSeen(seen, 7, topic)
    assert.deepEqual(handledBy(seen.slice(5), 'base'), ['f:gray', 'g:none'])
    // It comes back at once: the announcement stands.
    await instance('gray', topic, noting(seen, 'gray again'))
    await send(topic, [['h', 'gray'], ['i', 'gray'], ['j']])
    await untilSeen(seen, 10, topic)
    assert.deepEqual(handledBy(seen, 'gray again'), ['h:gray', 'i:gray'])
    await sleep(500)
    assert.equal(seen.length, 10)
    events.unsubscribe(note)
    for (const [outcome, times] of [
      ['gray:own', 3],
      ['gray:stand-in', 1],
      ['undefined:base', 3],
      ['blue:base', 1],
    ]) {
      assert.equal(outcomes.filter(one => one === outcome).length, times, `${outcome} of ${outcomes}`)
    }
    assert.ok(outcomes.includes('gray:skipped'))
  })

  test('order of a key is kept within base and within the lane, through stand-in and back', async () => {
    const topic = await newTopic(1)
    const seen = []
    await instance('base', topic, noting(seen, 'base'))
    let { consumer: gray } = await instance('gray', topic, noting(seen, 'gray'))
    let next = 0
    const burst = async () => {
      for (let i = 0; i < 40; i++) await send(topic, [[`${next++}`, i % 2 ? 'gray' : undefined]])
    }
    await sleep(LEAD_MS)
    await burst()
    await gray.disconnect()
    await burst()
    await sleep(3000)
    await burst()
    ;({ consumer: gray } = await instance('gray', topic, noting(seen, 'gray')))
    await burst()
    await until(() => seen.length >= next)
    for (const lane of ['none', 'gray']) {
      const ids = seen.filter(one => one.lane === lane).map(({ id }) => Number(id))
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
        lane,
      )
    }
    assert.equal(new Set(seen.map(({ id }) => id)).size, next)
    assert.ok(seen.some(({ who, lane }) => who === 'base' && lane === 'gray'))
  })

  test('a batch has gaps; to resolve a message also resolves what was skipped behind it', async () => {
    const topic = await newTopic(1)
    const batches = []
    const runOf = who => ({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets }) => {
        assert.equal(currentLane(), undefined)
        for (const message of batch.messages) {
          resolveOffset(message.offset)
          await heartbeat()
        }
        await commitOffsetsIfNecessary(uncommittedOffsets())
        const ids = batch.messages.map(({ value }) => `${value}`)
        batches.push({ who, ids, first: batch.firstOffset(), last: batch.lastOffset(), isEmpty: batch.isEmpty() })
      },
    })
    await instance('base', topic, runOf('base'))
    await instance('gray', topic, runOf('gray'))
    await sleep(LEAD_MS)
    await send(topic, [['a', 'gray'], ['b'], ['c', 'gray'], ['d'], ['e', 'gray']])
    await send(topic, [['f', 'gray']])
    const idsOf = who => batches.filter(one => one.who === who).flatMap(({ ids }) => ids)
    await until(() => idsOf('gray').length === 4 && idsOf('base').length === 2)
    assert.deepEqual(idsOf('gray'), ['a', 'c', 'e', 'f'])
    assert.deepEqual(idsOf('base'), ['b', 'd'])
    assert.ok(batches.every(({ isEmpty, last, first }) => !isEmpty && Number(last) >= Number(first)))
    for (const group of [topic, `${topic}_gray`]) {
      await until(async () => `${await committed(group, topic)}` === `${await ends(topic)}`)
    }
  })

  test('own commits go to the group that delivered the message, also from a stand-in', async () => {
    const topic = await newTopic(1)
    const seen = []
    let base
    ;({ consumer: base } = await instance('base', topic, {
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        seen.push({ id: `${message.value}`, who: 'base', lane: currentLane()?.header ?? 'none' })
        await base.commitOffsets([{ topic, partition, offset: `${BigInt(message.offset) + 1n}` }])
      },
    }))
    const { consumer: gray } = await instance('gray', topic, noting(seen, 'gray'))
    await gray.disconnect()
    await sleep(LEAD_MS)
    await send(topic, [['a', 'gray'], ['b'], ['c', 'gray']])
    await untilSeen(seen, 3, topic)
    assert.deepEqual(handledBy(seen, 'base'), ['a:gray', 'b:none', 'c:gray'])
    await until(async () => `${await committed(`${topic}_gray`, topic)}` === '0:3')
    assert.deepEqual(await committed(topic, topic), ['0:2'])
  })

  test('a transaction sends the offsets of a lane to the group of the lane', async () => {
    const topic = await newTopic(1)
    const transactional = laneKafka(newClient()).producer({
      transactionalId: topic,
      maxInFlightRequests: 1,
      idempotent: true,
    })
    open.push(transactional)
    await transactional.connect()
    const seen = []
    const runOf = who => ({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        if (who === 'base') return
        await inTransaction(transactional, transaction =>
          transaction.sendOffsets({
            consumerGroupId: topic,
            topics: [{ topic, partitions: [{ partition, offset: `${BigInt(message.offset) + 1n}` }] }],
          }),
        )
        seen.push(`${message.value}`)
      },
    })
    await instance('base', topic, runOf('base'))
    await instance('gray', topic, runOf('gray'))
    await sleep(LEAD_MS)
    await send(topic, [['a', 'gray'], ['b', 'gray'], ['c']])
    await untilSeen(seen, 2, topic)
    // Kafka writes the offsets of a transaction a moment after its commit.
    await until(async () => `${await committed(`${topic}_gray`, topic)}` === '0:2')
    assert.deepEqual(await committed(topic, topic), ['0:-1'])
  })

  test('regular expressions, several topics, and partitions that are added later', async () => {
    const first = await newTopic(1)
    const second = `${first}-more`
    await makeTopic(admin, second, { numPartitions: 1 })
    const seen = []
    const pattern = new RegExp(`^${first}(-more)?$`)
    const more = { groupId: first, metadataMaxAge: 1000 }
    await instance('base', pattern, noting(seen, 'base'), more)
    await instance('gray', pattern, noting(seen, 'gray'), more)
    await sleep(LEAD_MS)
    for (const topic of [first, second])
      await send(topic, [
        [`${topic}1`, 'gray', 0],
        [`${topic}2`, undefined, 0],
      ])
    await untilSeen(seen, 4, first, [first, second])
    assert.deepEqual(
      handledBy(seen, 'gray').map(one => one.replace(/:.*/, '')),
      [`${second}1`, `${first}1`].sort(),
    )
    await admin.createPartitions({ topicPartitions: [{ topic: first, count: 2 }] })
    // kafkajs drops messages for a partition that it does not know, and answers that it has written nothing.
    const knows = newClient().producer({ metadataMaxAge: 200 })
    open.push(knows)
    await knows.connect()
    await until(async () => {
      const written = await knows.send({
        topic: first,
        messages: [
          { value: 'new', partition: 1, headers: { 'x-mse-tag': 'gray' } },
          { value: 'plain', partition: 1 },
        ],
      })
      return written.length > 0
    })
    await untilSeen(seen, 6, first, [first, second])
    assert.ok(seen.some(({ id, who, partition }) => id === 'new' && who === 'gray' && partition === 1))
    assert.ok(seen.some(({ id, who }) => id === 'plain' && who === 'base'))
  })

  test('a lane begins where base has committed, and reads nothing before it', async () => {
    const topic = await newTopic(1)
    const seen = []
    await send(topic, [['old', 'gray'], ['older']])
    await instance('base', topic, noting(seen, 'base'))
    await untilSeen(seen, 2, topic)
    await until(async () => `${await committed(topic, topic)}` === '0:2')
    await instance('gray', topic, noting(seen, 'gray'))
    // To seek is to commit: with the first message it sees, which lies before the start.
    await until(async () => `${await committed(`${topic}_gray`, topic)}` === '0:2')
    assert.equal(seen.length, 2)
  })

  test('two instances and two lanes that begin at once share their messages', async () => {
    const topic = await newTopic(4)
    const seen = []
    await instance('base', topic, noting(seen, 'base'))
    await Promise.all(['gray', 'gray', 'blue'].map((tag, i) => instance(tag, topic, noting(seen, `${tag}${i}`))))
    await sleep(LEAD_MS)
    const list = Array.from({ length: 120 }, (_, i) => [`${i}`, [undefined, 'gray', 'blue'][i % 3]])
    await send(topic, list)
    await untilSeen(seen, 120, topic)
    await sleep(500)
    assert.equal(seen.length, 120)
    for (const { id, who } of seen) {
      assert.ok(who.startsWith(['base', 'gray', 'blue'][Number(id) % 3]), `${id} by ${who}`)
    }
  })

  test('a lane waits while members of base do not keep lanes apart, and says so once', async () => {
    const topic = await newTopic(1)
    const seen = []
    const old = plain.consumer({ groupId: topic, sessionTimeout: 6000, heartbeatInterval: 500 })
    await old.connect()
    await old.subscribe({ topic, fromBeginning: true })
    await old.run(noting(seen, 'old'))
    const warnings = []
    // The program goes on: `run` returns.
    await instance('gray', topic, noting(seen, 'gray'), { warnings })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0], /lane gray waits, because members of group "isolated-\d+" do not keep lanes apart/)
    await send(topic, [['a', 'gray']])
    await untilSeen(seen, 1, topic)
    assert.equal(seen[0].who, 'old')
    await old.disconnect()
    await instance('base', topic, noting(seen, 'base'))
    await sleep(LEAD_MS + 2000)
    await send(topic, [['b', 'gray']])
    await untilSeen(seen, 2, topic)
    assert.equal(seen[1].who, 'gray')
    assert.equal(warnings.length, 1)
  })

  test('while the ledger cannot be read a message with a lane waits, one without does not', async () => {
    const topic = await newTopic(2)
    const seen = []
    await instance('base', topic, { ...noting(seen, 'base'), partitionsConsumedConcurrently: 2 })
    unread.add(topic)
    await send(topic, [
      ['t', 'gray', 0],
      ['u', undefined, 1],
      ['v', undefined, 1],
    ])
    await untilSeen(seen, 2, topic)
    await sleep(4000)
    assert.deepEqual(handledBy(seen, 'base'), ['u:none', 'v:none'])
    unread.delete(topic)
    await untilSeen(seen, 3, topic)
  })

  test('a consumer that stops while a message waits does not commit it', async () => {
    const topic = await newTopic(1)
    const seen = []
    const { consumer } = await instance('base', topic, noting(seen, 'base'))
    unread.add(topic)
    await send(topic, [['a', 'gray']])
    await sleep(1500)
    await consumer.disconnect()
    assert.deepEqual(await committed(topic, topic), ['0:-1'])
    unread.delete(topic)
    await instance('base', topic, noting(seen, 'again'))
    await untilSeen(seen, 1, topic)
  })

  test('what is paused is paused in the stand-in, too; a lane seeks in its own group', async () => {
    const topic = await newTopic(1)
    const seen = []
    const { consumer: base } = await instance('base', topic, noting(seen, 'base'))
    const { consumer: gray } = await instance('gray', topic, noting(seen, 'gray'))
    await sleep(LEAD_MS)
    await send(topic, [['a', 'gray']])
    await untilSeen(seen, 1, topic)
    gray.seek({ topic, partition: 0, offset: '0' })
    await untilSeen(seen, 2, topic)
    assert.deepEqual(handledBy(seen, 'gray'), ['a:gray', 'a:gray'])
    base.pause([{ topic }])
    await gray.disconnect()
    await send(topic, [['b', 'gray'], ['c']])
    await sleep(6000)
    assert.equal(seen.length, 2)
    base.resume([{ topic }])
    await untilSeen(seen, 4, topic)
    assert.deepEqual(handledBy(seen, 'base'), ['b:gray', 'c:none'])
  })

  test('a lane that shares its group with another lane is refused, because each would skip what is for the other', async () => {
    const topic = await newTopic()
    const shared = { laneGroup: group => `${group}_lanes` }
    const seen = []
    await instance('base', topic, noting(seen, 'base'), shared)
    await instance('gray', topic, noting(seen, 'gray'), shared)
    const refused = await instance('blue', topic, noting(seen, 'blue'), shared).catch(error => error)
    await sleep(LEAD_MS)
    const list = Array.from({ length: 40 }, (_, id) => [`${id}`, id % 2 ? 'gray' : 'blue', (id >> 1) % 2])
    await send(topic, list)
    await untilSeen(seen, 40, topic)
    assert.equal(refused.code, 'LANEWAY_INVALID_OPTION')
    assert.match(refused.message, /lane blue .* lane gray/)
  })

  test('wrong options, and clients that take no assigner, are refused', async () => {
    const kafka = laneKafka(newClient())
    for (const wrong of [
      { groupId: 'x', lanes: 'apart' },
      { lanes: 'isolate' },
      { groupId: 'x', lanes: 'isolate', standInAfterMs: '1' },
      { groupId: 'x', lanes: 'isolate', laneGroup: 'x' },
    ]) {
      assert.throws(() => kafka.consumer(wrong), { code: 'LANEWAY_INVALID_OPTION' }, JSON.stringify(wrong))
    }
    const same = laneKafka(newClient(), { tag: 'gray' })
    assert.throws(() => same.consumer({ groupId: 'x', lanes: 'isolate', laneGroup: group => group }), {
      code: 'LANEWAY_INVALID_OPTION',
    })
    const other = laneKafka({ producer() {}, admin() {}, consumer: () => ({ run() {}, subscribe() {} }) })
    assert.throws(() => other.consumer({ groupId: 'x', lanes: 'isolate' }), /needs an assigner .* kafkajs 2/)
    assert.throws(() => kafka.consumer({ groupId: 'x' }).run({ lanes: 'isolate' }), { code: 'LANEWAY_INVALID_OPTION' })
  })
})
