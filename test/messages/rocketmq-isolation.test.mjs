// Lanes kept apart in RocketMQ: rocketmq-client-nodejs and a Java service on a real broker, the ledger in a real Redis.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { messages } from '@laneway/messaging'
import { announceLane, createLaneConsumer, createRedisLedger } from '@laneway/rocketmq'
import rocketmq from 'rocketmq-client-nodejs'
import { startJavaService } from '../servers/rocketmq/java-service.mjs'
import { lane, startRig, until } from './rocketmq-rig.mjs'

const WITHOUT_GRAY = `__microservice_tag__ IS NULL OR NOT (__microservice_tag__ CONTAINS '"gray"')`
const ordered = { consumeMessageOrderly: true }
let rig
let ledger
let consuming
let send
/** What consumers of base and of a lane have handled, once they receive; they start beside the other tests. */
let frozen
let stopped

const bothSides = async topic => {
  const seen = []
  for (const side of ['base', 'gray']) await consuming(topic, side, seen).ready()
  return seen
}

before(async () => {
  rig = await startRig({
    normal: ['code', 'sql', 'plain', 'java1', 'java2', 'slow', 'frozen', 'stopped', 'once', 'alone', 'two1', 'two2'],
    topics: { fifo: 'FIFO', fails: 'FIFO' },
    groups: {
      'fifo-g': ordered,
      'fifo-g_gray': ordered,
      'fails-g': { ...ordered, retryMaxTimes: 1 },
      'fails-g_gray': { ...ordered, retryMaxTimes: 1 },
    },
  })
  ;({ ledger, consuming, send } = rig)
  frozen = bothSides('frozen')
  stopped = bothSides('stopped')
})
after(() => rig.stop())

/** Fails when messages of a group were handled in another order than they were sent. */
function assertInOrder(seen, tag) {
  const numbers = seen.filter(one => one.endsWith(`:${tag}`)).map(one => Number.parseInt(one, 10))
  for (const key of [0, 1, 2]) {
    const ofKey = numbers.filter(number => number % 3 === key)
    assert.deepEqual(
      ofKey,
      ofKey.toSorted((a, b) => a - b),
      `key ${key} of ${tag}`,
    )
  }
}

// They mostly wait, each on a topic of its own.
describe('lanes kept apart', { concurrency: true }, () => {
  for (const filter of ['code', 'sql']) {
    test(`each message is handled on one side, through stand-in and back; the lane's filter is ${filter}`, async () => {
      const seen = []
      const events = []
      const note = event => event.destination === filter && events.push(event)
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
    const plain = new rocketmq.Producer({ ...rig.client, topics: ['plain'] })
    await plain.startup()
    await plain.send({ topic: 'plain', body: Buffer.from('plain'), properties: new Map([['x-mse-tag', 'gray']]) })
    await until(() => seen.length === 1)
    assert.deepEqual(seen, ['plain:base:gray'])
    await Promise.race([plain.shutdown(), sleep(3000)])
  })

  test('a lane of Node beside base of Java: Java leaves the lane to it, both ways', async () => {
    const seen = []
    const { nameServer } = rig.broker
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
    const { nameServer } = rig.broker
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
    await consuming('fifo', 'base', seen).ready()
    let gray = consuming('fifo', 'gray', seen)
    await gray.ready()
    const total = 60
    for (let i = 0; i < total; i++) {
      await send('fifo', i % 2 === 0 ? 'gray' : undefined, `${i}`, { messageGroup: `key ${i % 3}` })
      if (i === 20) await gray.close()
      if (i === 40) {
        gray = consuming('fifo', 'gray', seen)
        await gray.ready()
      }
    }
    await until(() => seen.length >= total)
    assert.equal(new Set(seen).size, seen.length)
    for (const tag of ['gray', 'none']) assertInOrder(seen, tag)
  })

  test('a FIFO message that fails is tried again before those behind it, and they do not follow it to the dead letters', async () => {
    const seen = []
    const tries = []
    const options = {
      async handler({ body }) {
        const one = `${body}:${lane()}`
        tries.push(one)
        const failures = { 6: 1, 12: 2 }[body] ?? 0
        if (tries.filter(tried => tried === one).length <= failures) throw new Error('no')
        seen.push(one)
      },
    }
    await consuming('fails', 'base', seen, options).ready()
    await consuming('fails', 'gray', seen, options).ready()
    const total = 18
    for (const tag of ['gray', undefined])
      for (let i = 0; i < total; i++) await send('fails', tag, `${i}`, { messageGroup: `key ${i % 3}` })
    // Tried twice, by the setting of the groups: what fails twice is among the dead letters.
    await until(() => seen.length >= 2 * (total - 1))
    assert.equal(seen.length, 2 * (total - 1))
    assert.equal(tries.length, 2 * (total + 2))
    for (const tag of ['gray', 'none']) {
      assertInOrder(seen, tag)
      assertInOrder(tries, tag)
    }
  })

  test('a message whose handler takes longer than it is invisible is handled once', async () => {
    const seen = []
    const options = {
      lanes: 'propagate',
      concurrency: 12,
      async handler({ body }) {
        seen.push(`${body}`)
        await sleep(12_000)
      },
    }
    for (let i = 0; i < 12; i++) await send('slow', undefined, `${i}`)
    await consuming('slow', 'base', seen, options).ready()
    await until(() => seen.length === 12)
    // It would come again after ten seconds and a scan of the broker.
    await sleep(35_000)
    assert.equal(seen.length, 12)
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
    for (const topic of ['two1', 'two2'])
      for (const tag of ['gray', undefined]) await send(topic, tag, `${topic} ${tag}`)
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
      client: rig.client,
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
})

test('while the ledger is frozen, tagged messages wait and untagged ones flow', async () => {
  const seen = await frozen
  process.kill(rig.redisServer.pid, 'SIGSTOP')
  await sleep(3500)
  // More than are handled at a time.
  for (let i = 0; i < 15; i++) await send('frozen', 'gray', `tagged ${i}`)
  await send('frozen', undefined, 'untagged')
  await until(() => seen.includes('untagged:base:none'))
  await sleep(2000)
  assert.deepEqual(seen, ['untagged:base:none'])
  process.kill(rig.redisServer.pid, 'SIGCONT')
  await until(() => seen.length === 16)
  await sleep(1000)
  assert.equal(new Set(seen.map(one => one.split(':')[0])).size, seen.length)
  assert.ok(seen.every(one => !one.startsWith('tagged') || one.endsWith(':gray')))
})

test('while the broker is frozen everything waits, and nothing is lost or handled on two sides', async () => {
  const seen = await stopped
  process.kill(rig.broker.pid, 'SIGSTOP')
  const sending = ['gray', undefined, 'blue'].map(async tag => {
    while (!(await send('stopped', tag, `of ${tag}`).then(Boolean, () => false))) await sleep(100)
  })
  await sleep(10_000)
  assert.deepEqual(seen, [])
  process.kill(rig.broker.pid, 'SIGCONT')
  await Promise.all(sending)
  await until(() => new Set(seen).size === 3)
  assert.deepEqual([...new Set(seen)].toSorted(), ['of blue:base:blue', 'of gray:gray:gray', 'of undefined:base:none'])
})
