// Lanes kept apart in RocketMQ: rocketmq-client-nodejs and a Java service on a real broker, the ledger in a real Redis.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { channels, currentLane, runInLane } from '@laneway/core'
import { messages } from '@laneway/messaging'
import { announceLane, createLaneConsumer, createRedisLedger, endLane, laneRocketmq } from '@laneway/rocketmq'
import { Redis } from 'ioredis'
import rocketmq from 'rocketmq-client-nodejs'
import { startRedis } from '../servers/redis/start.mjs'
import { startJavaService } from '../servers/rocketmq/java-service.mjs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { knowsTopic } from '../servers/rocketmq/topic-route.mjs'
import { until as untilWithin } from './until.mjs'

const { Producer } = rocketmq
const WITHOUT_GRAY = `__microservice_tag__ IS NULL OR NOT (__microservice_tag__ CONTAINS '"gray"')`
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const open = []
/** A request that finds nothing takes five seconds, and what was given back is delivered again after a scan. */
const until = condition => untilWithin(condition, 90_000)
let broker
let redisServer
let redis
let ledger
let producer

before(async () => {
  // A new group begins at the first message, so each test has a topic.
  const names = ['code', 'sql', 'plain', 'java1', 'java2', 'retry', 'frozen', 'stopped', 'lag', 'once', 'alone']
  names.push('two1', 'two2')
  const topics = { fifo: 'FIFO', ...Object.fromEntries(names.map(name => [name, 'NORMAL'])) }
  const groups = {
    'retry-g': { retryMaxTimes: 1 },
    'retry-g_gray': { retryMaxTimes: 1 },
    'fifo-g': { consumeMessageOrderly: true },
    'fifo-g_gray': { consumeMessageOrderly: true },
  }
  ;[broker, redisServer] = await Promise.all([startRocketmq(topics, groups), startRedis()])
  redis = new Redis(redisServer.port, redisServer.host, { maxRetriesPerRequest: null })
  ledger = createRedisLedger(redis)
  // With several topics the client does not start.
  producer = laneRocketmq(new Producer({ ...client(), topics: ['code'] }))
  await producer.startup()
})
after(async () => {
  await Promise.all(open.map(one => one.close()))
  await Promise.race([producer.shutdown(), sleep(3000)])
  redis.disconnect()
  await Promise.all([broker.stop(), redisServer.stop()])
})

const client = () => ({ endpoints: broker.address, namespace: '', requestTimeout: 10_000, logger })
const lane = () => currentLane()?.header ?? 'none'
const send = (topic, tag, body, more) =>
  runInLane(tag, () => producer.send({ topic, body: Buffer.from(body ?? `of ${tag}`), ...more }))

/** Made in a lane, as by a request that happens to be the first. */
function consuming(topic, side, seen, options = {}) {
  const consumer = runInLane('red', () =>
    createLaneConsumer({
      rocketmq,
      client: client(),
      consumerGroup: `${topic}-g`,
      subscriptions: new Map([[topic, '*']]),
      lanes: 'isolate',
      ledger,
      tag: side,
      invisibleMs: 10_000,
      onError: error => process.env.SHOW_ERRORS && console.log(side, error.message),
      async handler(message) {
        await sleep(1)
        seen.push(`${message.body}:${side}:${lane()}`)
      },
      ...options,
    }),
  )
  open.push(consumer)
  return consumer
}

for (const filter of ['code', 'sql']) {
  test(`each message is handled on one side, through stand-in and back; the lane's filter is ${filter}`, async () => {
    const seen = []
    const events = []
    const note = event => events.push(event)
    messages.subscribe(note)
    await consuming(filter, 'base', seen, { filter }).ready()
    await send(filter, 'gray', 'before')
    await until(() => seen.length === 1)
    const gray = consuming(filter, 'gray', seen, { filter })
    await gray.ready()
    await send(filter, undefined, 'by hand', { properties: new Map([['x-mse-tag', 'gray']]) })
    for (const tag of ['gray', undefined, 'blue', 'blue,gray', 'gray,blue', 'base,gray']) await send(filter, tag)
    await until(() => seen.length === 8)
    assert.deepEqual(seen.slice(1).toSorted(), [
      'by hand:gray:gray',
      'of base,gray:base:base,gray',
      'of blue,gray:gray:blue,gray',
      'of blue:base:blue',
      'of gray,blue:gray:gray,blue',
      'of gray:gray:gray',
      'of undefined:base:none',
    ])
    await gray.close()
    await send(filter, 'gray', 'left')
    await until(() => seen.length === 9)
    assert.equal(seen[8], 'left:base:gray')
    await consuming(filter, 'gray', seen, { filter }).ready()
    await send(filter, 'gray', 'again')
    await until(() => seen.length === 10)
    assert.equal(seen[9], 'again:gray:gray')
    await sleep(1000)
    messages.unsubscribe(note)
    assert.equal(seen.length, 10)
    const outcomes = new Set(events.map(({ outcome }) => outcome))
    assert.deepEqual([...outcomes].toSorted(), ['base', 'own', 'skipped', 'stand-in'])
    const skippedByLane = events.filter(({ outcome, lane: of }) => outcome === 'skipped' && of === undefined).length
    assert.equal(skippedByLane > 0, filter === 'code', 'under sql the broker keeps the messages of others')
  })
}

test('a message by x-mse-tag alone is of base: a broker that filters cannot see its lane', async () => {
  const seen = []
  await consuming('plain', 'base', seen).ready()
  await consuming('plain', 'gray', seen).ready()
  const plain = new Producer({ ...client(), topics: ['plain'] })
  await plain.startup()
  await plain.send({ topic: 'plain', body: Buffer.from('plain'), properties: new Map([['x-mse-tag', 'gray']]) })
  await until(() => seen.length === 1)
  assert.deepEqual(seen, ['plain:base:gray'])
  await Promise.race([plain.shutdown(), sleep(3000)])
})

test('a lane of Node beside base of Java: Java leaves the lane to it, both ways', async () => {
  const seen = []
  const { nameServer } = broker
  const java = await startJavaService({ nameServer, topic: 'java1', group: 'java1-g', filter: WITHOUT_GRAY })
  await consuming('java1', 'gray', seen, { assumeBase: true, filter: 'sql' }).ready()
  for (const tag of ['gray', undefined, 'blue']) {
    java.send(tag, `java ${tag}`)
    await send('java1', tag, `node ${tag}`)
  }
  await until(() => seen.length === 2 && java.got.length === 4)
  await sleep(1000)
  assert.deepEqual(seen.toSorted(), ['java gray:gray:gray', 'node gray:gray:gray'])
  assert.deepEqual(java.got.toSorted(), ['java blue', 'java undefined', 'node blue', 'node undefined'])
  await java.stop()
})

test('a lane of Java beside base of Node, once it is announced', async () => {
  const seen = []
  const { nameServer } = broker
  const filter = `__microservice_tag__ CONTAINS '"gray"'`
  const java = await startJavaService({ nameServer, topic: 'java2', group: 'java2-g_gray', filter })
  await consuming('java2', 'base', seen, { whenLaneMissing: 'fail' }).ready()
  await announceLane(ledger, { group: 'java2-g', topics: ['java2'], lane: 'gray' })
  await sleep(7000)
  for (const tag of ['gray', undefined, 'blue']) {
    java.send(tag, `java ${tag}`)
    await send('java2', tag, `node ${tag}`)
  }
  await until(() => seen.length === 4 && java.got.length === 2)
  await sleep(1000)
  assert.deepEqual(java.got.toSorted(), ['java gray', 'node gray'])
  assert.deepEqual(seen.toSorted(), [
    'java blue:base:blue',
    'java undefined:base:none',
    'node blue:base:blue',
    'node undefined:base:none',
  ])
  await java.stop()
})

test('a FIFO topic keeps the order of each message group within base and within the lane', async () => {
  const seen = []
  const options = { concurrency: 1 }
  await consuming('fifo', 'base', seen, options).ready()
  let gray = consuming('fifo', 'gray', seen, options)
  await gray.ready()
  const total = 60
  for (let i = 0; i < total; i++) {
    await send('fifo', i % 2 === 0 ? 'gray' : undefined, `${i}`, { messageGroup: `key ${i % 3}` })
    if (i === 20) await gray.close()
    if (i === 40) {
      gray = consuming('fifo', 'gray', seen, options)
      await gray.ready()
    }
  }
  await until(() => seen.length >= total)
  assert.equal(new Set(seen).size, seen.length)
  for (const tag of ['gray', 'none']) {
    for (const key of [0, 1, 2]) {
      const numbers = seen.filter(one => one.endsWith(`:${tag}`)).map(one => Number.parseInt(one, 10))
      const ofKey = numbers.filter(number => number % 3 === key)
      assert.deepEqual(
        ofKey,
        ofKey.toSorted((a, b) => a - b),
        `key ${key} of ${tag}`,
      )
    }
  }
})

test('a message that fails for good goes to the dead letters of its side, and to no other', async () => {
  const tries = []
  const failing = side => ({
    async handler({ body }) {
      tries.push(`${body}:${side}:${lane()}`)
      throw new Error('no')
    },
  })
  const hasDeadLetters = group => knowsTopic(Number(broker.nameServer.split(':')[1]), `%DLQ%${group}`)
  const seen = { 'retry-g': [], 'retry-g_gray': [] }
  async function readDeadLetters(group) {
    await until(() => hasDeadLetters(group))
    const letters = async ({ body }) => seen[group].push(`${body}`)
    const topic = `%DLQ%${group}`
    await consuming(topic, 'base', [], { consumerGroup: `dead-${group}`, lanes: 'propagate', handler: letters }).ready()
  }
  await consuming('retry', 'base', [], failing('base')).ready()
  const gray = consuming('retry', 'gray', [], failing('gray'))
  await gray.ready()
  await send('retry', 'gray', 'one')
  await readDeadLetters('retry-g_gray')
  await until(() => seen['retry-g_gray'].length === 1)
  assert.equal(await hasDeadLetters('retry-g'), false)
  await send('retry', undefined, 'two')
  await readDeadLetters('retry-g')
  await until(() => seen['retry-g'].length === 1)
  // Base stands in: the message stays one of the lane.
  await gray.close()
  await send('retry', 'gray', 'three')
  await until(() => seen['retry-g_gray'].length === 2)
  assert.deepEqual(seen, { 'retry-g': ['two'], 'retry-g_gray': ['one', 'three'] })
  assert.deepEqual(
    tries,
    ['one:gray:gray', 'two:base:none', 'three:base:gray'].flatMap(one => [one, one]),
    'once more, by the setting of the groups',
  )
})

test('while the ledger is frozen, tagged messages wait and untagged ones flow', async () => {
  const seen = []
  await consuming('frozen', 'base', seen).ready()
  await consuming('frozen', 'gray', seen).ready()
  process.kill(redisServer.pid, 'SIGSTOP')
  await sleep(3500)
  await send('frozen', 'gray', 'tagged')
  await send('frozen', undefined, 'untagged')
  await until(() => seen.includes('untagged:base:none'))
  await sleep(2000)
  assert.deepEqual(seen, ['untagged:base:none'])
  process.kill(redisServer.pid, 'SIGCONT')
  await until(() => seen.length === 2)
  assert.match(seen[1], /^tagged:/)
  await sleep(1000)
  assert.equal(seen.length, 2)
})

test('while the broker is frozen everything waits, and nothing is lost or handled on two sides', async () => {
  const seen = []
  await consuming('stopped', 'base', seen).ready()
  await consuming('stopped', 'gray', seen).ready()
  process.kill(broker.pid, 'SIGSTOP')
  const sending = ['gray', undefined, 'blue'].map(async tag => {
    while (!(await send('stopped', tag, `of ${tag}`).then(Boolean, () => false))) await sleep(100)
  })
  await sleep(10_000)
  assert.deepEqual(seen, [])
  process.kill(broker.pid, 'SIGCONT')
  await Promise.all(sending)
  await until(() => new Set(seen).size === 3)
  assert.deepEqual([...new Set(seen)].toSorted(), ['of blue:base:blue', 'of gray:gray:gray', 'of undefined:base:none'])
})

test('a lane that ends with lag: base owns what comes later, reads what is left an hour later, and the lane returns', async () => {
  const seen = []
  const waits = consuming('lag', 'base', seen, { whenLaneMissing: 'fail' })
  await waits.ready()
  const gray = consuming('lag', 'gray', seen)
  await gray.ready()
  await gray.close()
  let sent = 0
  for (; sent < 40; sent++) await send('lag', 'gray', `${sent}`)
  await endLane(ledger, { group: 'lag-g', topics: ['lag'], lane: 'gray' })
  for (; seen.length === 0; sent++) {
    await send('lag', 'gray', `${sent}`)
    await sleep(2000)
  }
  assert.match(seen[0], /:base:gray$/, 'sent after the end')
  assert.ok(Number.parseInt(seen[0], 10) >= 40)
  await waits.close()
  const later = {
    ...ledger,
    async look(...args) {
      const said = await ledger.look(...args)
      return { ...said, nowMs: said.nowMs + 3_600_000 }
    },
  }
  const events = new Map()
  const note = event => event.group === 'lag-g' && events.set(event.ledger, event)
  channels.group.subscribe(note)
  const standIns = () =>
    [...events.values()].flatMap(({ consumers }) => consumers.filter(one => one.role === 'stand-in'))
  await consuming('lag', 'base', seen, { ledger: later }).ready()
  await until(() => seen.length === sent)
  assert.equal(new Set(seen).size, sent)
  assert.ok(seen.every(one => one.endsWith(':base:gray')))
  // Nothing is left: the ledger says so, and nobody reads for the lane any more.
  await until(() => standIns().length === 0)
  channels.group.unsubscribe(note)
  const records = await redis.xrange('laneway:{rocketmq:lag-g}:ledger', '-', '+')
  assert.match(records.at(-1)[1][3], /^\{"read":"/)
  await consuming('lag', 'gray', seen).ready()
  await send('lag', 'gray', 'returned')
  await until(() => seen.length === sent + 1)
  assert.equal(seen.at(-1), 'returned:gray:gray')
})

test('two lanes and two instances of one that announce at once leave each message to one side', async () => {
  const seen = []
  await consuming('once', 'base', seen).ready()
  await Promise.all(['gray', 'gray', 'blue'].map(tag => consuming('once', tag, seen).ready()))
  const tags = ['gray', 'blue', 'gray,blue', 'blue,gray', 'red,blue', undefined]
  for (let i = 0; i < 5; i++) for (const tag of tags) await send('once', tag, `${i}`)
  await until(() => seen.length >= 30)
  await sleep(1000)
  assert.equal(seen.length, 30)
  const sides = [...new Set(seen.map(one => one.slice(one.indexOf(':') + 1)))]
  assert.deepEqual(sides.toSorted(), [
    'base:none',
    'blue:blue',
    'blue:blue,gray',
    'blue:red,blue',
    'gray:gray',
    'gray:gray,blue',
  ])
})

test('a group of two topics has a ledger for each', async () => {
  const seen = []
  const options = {
    consumerGroup: 'two-g',
    subscriptions: new Map([
      ['two1', '*'],
      ['two2', '*'],
    ]),
  }
  await consuming('two1', 'base', seen, options).ready()
  await consuming('two1', 'gray', seen, options).ready()
  for (const topic of ['two1', 'two2']) for (const tag of ['gray', undefined]) await send(topic, tag, `${topic} ${tag}`)
  await until(() => seen.length === 4)
  assert.deepEqual(seen.toSorted(), [
    'two1 gray:gray:gray',
    'two1 undefined:base:none',
    'two2 gray:gray:gray',
    'two2 undefined:base:none',
  ])
})

test('a new lane waits for base; wrong options are refused with their names', async () => {
  const warnings = []
  const gray = consuming('alone', 'gray', [], { warn: text => warnings.push(text) })
  await until(() => warnings.length === 1)
  assert.match(warnings[0], /lane gray of group "alone-g" waits, because no consumer of base isolates lanes/)
  await gray.close()
  const options = {
    rocketmq,
    client: client(),
    consumerGroup: 'g',
    subscriptions: new Map([['code', '*']]),
    handler() {},
  }
  for (const [wrong, message] of [
    [{ rocketmq: {} }, /rocketmq is what rocketmq-client-nodejs exports/],
    [{ consumerGroup: '' }, /consumerGroup is a text/],
    [{ subscriptions: new Map() }, /subscriptions is a Map/],
    [{ lanes: 'isolate' }, /ledger is missing/],
    [{ invisibleMs: 500 }, /invisibleMs/],
    [{ filters: 'sql' }, /did you mean "filter"/],
  ]) {
    assert.throws(() => createLaneConsumer({ ...options, ...wrong }), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  assert.throws(() => createRedisLedger({}), { code: 'LANEWAY_INVALID_OPTION' })
})
