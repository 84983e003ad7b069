// Lanes in rocketmq-client-nodejs on a real RocketMQ.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { eachInLane, messageLane, messages } from '@laneway/messaging'
import { laneRocketmq } from '@laneway/rocketmq'
import rocketmq from 'rocketmq-client-nodejs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { until } from './until.mjs'

const { ConsumeResult, Producer, PushConsumer, SimpleConsumer } = rocketmq
const MSE = '__microservice_tag__'
/** Of the client's protocol; it does not export the name. */
const COMMIT = 1

let broker
const open = []
const lane = () => currentLane()?.header ?? 'none'
const logger = { debug() {}, info() {}, warn() {}, error() {} }

before(async () => {
  broker = await startRocketmq({ orders: 'NORMAL', foreign: 'NORMAL', transacted: 'TRANSACTION' })
})
after(async () => {
  await Promise.all(open.map(one => Promise.race([one.shutdown(), sleep(5000)])))
  await broker.stop()
})

const base = () => ({ endpoints: broker.address, namespace: '', requestTimeout: 10_000, logger })

/** Started in a lane, as a request does that is the first to need it. */
async function started(one, options) {
  const given = options === undefined ? one : laneRocketmq(laneRocketmq(one, options))
  await runInLane('blue', () => given.startup())
  open.push(one)
  return one
}

const producing = (topics, options = {}, more = {}) => started(new Producer({ ...base(), topics, ...more }), options)

function consuming(topic, seen, options = {}) {
  const messageListener = {
    async consume(message) {
      await sleep(1)
      seen.push([`${message.body}`, lane(), messageLane(message)?.header ?? 'none', message.properties])
      return ConsumeResult.SUCCESS
    },
  }
  const subscriptions = new Map([[topic, '*']])
  const settings = { ...base(), consumerGroup: `${topic}-${options.tag ?? 'base'}`, subscriptions, messageListener }
  return started(new PushConsumer(settings), options)
}

const message = (topic, body, properties) => ({
  topic,
  body: Buffer.from(body),
  ...(properties && { properties: new Map(Object.entries(properties)) }),
})
const shown = seen => seen.map(([body, ...lanes]) => [body, ...lanes.slice(0, 2)].join(':')).sort()

test('send carries the lane of the call; a push consumer handles each message in its lane', async () => {
  const seen = []
  const producer = await producing(['orders'])
  await Promise.all(
    [undefined, 'gray', 'red', 'gray-2,gray'].map((tag, i) =>
      runInLane(tag, async () => {
        await producer.send(message('orders', `${i}`))
        await producer.send(message('orders', `own ${i}`, { 'x-mse-tag': 'green', a: '1' }))
      }),
    ),
  )
  await runInLane('gray', () => producer.send(message('orders', 'bad', { 'x-mse-tag': '-' })))
  await producer.send(message('orders', 'bad outside', { 'x-mse-tag': '-' }))
  await consuming('orders', seen)
  await until(() => seen.length === 10, 60_000)
  assert.deepEqual(shown(seen), [
    '0:none:none',
    '1:gray:gray',
    '2:red:red',
    '3:gray-2,gray:gray-2,gray',
    'bad outside:none:none',
    'bad:gray:gray',
    'own 0:green:green',
    'own 1:green:green',
    'own 2:green:green',
    'own 3:green:green',
  ])
  const properties = seen.find(([body]) => body === '1')[3]
  assert.equal(properties.get(MSE), '[{"name":"gray","tag":"gray","priority":-1}]')
  assert.equal(seen.find(([body]) => body === 'own 1')[3].get('a'), '1')
})

test('messages of MSE are in their lane; what is no lane is removed and counted, also for a simple consumer', async () => {
  const mse = (...tags) => ({ [MSE]: JSON.stringify(tags.map(tag => ({ name: tag, tag, priority: -1 }))) })
  const plain = await started(new Producer({ ...base(), topics: ['foreign'] }))
  const cases = {
    mse: [mse('gray'), 'gray'],
    list: [mse('gray-2', 'gray'), 'gray-2,gray'],
    'name only': [{ [MSE]: '[{"name":"gray"}]' }, 'gray'],
    'header first': [{ ...mse('gray'), 'x-mse-tag': 'red' }, 'red'],
    'no json': [{ [MSE]: 'gray' }, 'none'],
    'no tag': [mse('-'), 'none'],
    invalid: [{ 'x-mse-tag': '-' }, 'none'],
    empty: [{ 'x-mse-tag': '' }, 'none'],
    long: [{ 'x-mse-tag': 'a'.repeat(256) }, 'none'],
    none: [undefined, 'none'],
  }
  for (const [body, [properties]] of Object.entries(cases)) await plain.send(message('foreign', body, properties))
  const events = []
  const note = event => events.push(event)
  messages.subscribe(note)
  const seen = []
  await consuming('foreign', seen)
  await until(() => seen.length === Object.keys(cases).length, 60_000)
  messages.unsubscribe(note)
  const expected = Object.entries(cases).map(([body, [, tag]]) => `${body}:${tag}:${tag}`)
  assert.deepEqual(shown(seen), expected.sort())
  // RocketMQ itself drops the property that is empty.
  assert.equal(events.filter(({ problem }) => problem === 'invalid').length, 4)
  for (const [, tag, , properties] of seen)
    if (tag === 'none') assert.ok(!properties.has('x-mse-tag') && !properties.has(MSE))

  const subscriptions = new Map([['foreign', '*']])
  const settings = { ...base(), consumerGroup: 'foreign-simple', subscriptions, awaitDuration: 3000 }
  const simple = await started(new SimpleConsumer(settings), {})
  const handled = new Set()
  await until(async () => {
    const batch = await simple.receive(16, 30_000).catch(() => [])
    await eachInLane(batch, async one => {
      handled.add(`${one.body}:${lane()}:${messageLane(one)?.header ?? 'none'}`)
      await simple.ack(one)
    })
    return handled.size >= expected.length
  }, 60_000)
  assert.deepEqual([...handled].sort(), expected)
})

test('a transaction carries the lane of its call, and the checker runs in it', async () => {
  const seen = []
  const producer = await producing(
    ['transacted'],
    {},
    {
      checker: {
        async check(view) {
          await sleep(1)
          seen.push(`checked ${view.body}:${lane()}`)
          return COMMIT
        },
      },
    },
  )
  const send = async tag => {
    const transaction = producer.beginTransaction()
    await runInLane(tag, () => producer.send(message('transacted', `of ${tag}`), transaction))
    return transaction
  }
  await (await send('red')).commit()
  // Nobody says what becomes of these: the broker asks the checker.
  await send('gray')
  await send(undefined)
  // This broker asks again and again, also about what is committed, and then delivers again.
  const committed = []
  await consuming('transacted', committed)
  const bodies = () => new Set(committed.map(([body]) => body)).size
  await until(
    () => bodies() === 3 && seen.some(one => one.includes('gray')) && seen.some(one => one.includes('none')),
    60_000,
  )
  for (const one of seen) assert.match(one, /^checked of (gray:gray|red:red|undefined:none)$/)
  assert.deepEqual([...new Set(shown(committed))], ['of gray:gray:gray', 'of red:red:red', 'of undefined:none:none'])
})

test('an instance of a lane that consumes warns once', async () => {
  const warnings = []
  const seen = []
  await consuming('orders', seen, { tag: 'gray', warn: text => warnings.push(text) })
  const producer = await producing(['orders'])
  await producer.send(message('orders', 'one'))
  await producer.send(message('orders', 'two'))
  await until(() => seen.length >= 2, 60_000)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /this instance of lane gray consumes "orders"/)
  assert.throws(() => laneRocketmq({}), { code: 'LANEWAY_INVALID_OPTION' })
})
