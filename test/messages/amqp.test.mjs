// Lanes in real RabbitMQ. AMQPLIB=amqplib0 or amqplib1 takes that version.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { laneAmqp } from '@laneway/amqp'
import { currentLane, runInLane } from '@laneway/core'
import { messageLane, messages } from '@laneway/messaging'
import manager from 'amqp-connection-manager'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { until } from './until.mjs'

const require = createRequire(import.meta.url)
const library = process.env.AMQPLIB ?? 'amqplib'
const amqp = require(library)
const callbacks = require(`${library}/callback_api`)

let rabbit
let count = 0
const open = []
const warnings = []

before(async () => {
  rabbit = await startRabbitmq()
})
after(async () => {
  // A connection that was cut does not answer.
  for (const one of open.reverse()) await Promise.race([(async () => one.close())().catch(() => {}), sleep(1000)])
  await rabbit.stop()
})

const newName = () => `q${process.pid}-${++count}`
const lane = () => currentLane()?.header ?? 'none'
const warn = message => warnings.push(message)

async function connect(options) {
  const connection = await amqp.connect(rabbit.url)
  connection.on('error', () => {})
  open.push(connection)
  return options === undefined ? connection : laneAmqp(connection, { warn, ...options })
}

/** A queue, and a channel that knows nothing of Laneway. */
async function plainQueue(options) {
  const name = newName()
  const channel = await (await connect()).createConfirmChannel()
  await channel.assertQueue(name, options)
  const send = (content, tag, more = {}) =>
    channel.sendToQueue(name, Buffer.from(content), {
      ...more,
      headers: { ...more.headers, ...(tag !== undefined && { 'x-mse-tag': tag }) },
    })
  return { name, channel, send }
}

/** A consumer under isolation on a connection of its own. */
async function side(name, tag, handle, options = {}) {
  const connection = await connect({ tag })
  const channel = await connection.createChannel()
  channel.on('error', () => {})
  await channel.prefetch(options.prefetch ?? 10)
  const { prefetch: _, ...consume } = options
  const { consumerTag } = await channel.consume(name, message => handle(message, channel), {
    lanes: 'isolate',
    laneTtlMs: 2000,
    ...consume,
  })
  return { connection, channel, end: () => channel.cancel(consumerTag) }
}

test('propagate: what is published carries the lane of the call; each message is handled in its lane', async () => {
  const name = newName()
  const connection = await runInLane('blue', () => connect({}))
  const channel = await runInLane('blue', () => connection.createConfirmChannel())
  await channel.assertQueue(name)
  await channel.assertExchange(`${name}-x`, 'topic')
  await channel.bindQueue(name, `${name}-x`, '#')
  const seen = []
  await runInLane('blue', () =>
    channel.consume(name, async message => {
      await sleep(1)
      seen.push(`${message.content}:${lane()}:${messageLane(message)?.header}`)
      channel.ack(message)
    }),
  )
  const confirmed = []
  const publish = (content, tag, headers) =>
    runInLane(tag, () =>
      channel.publish(`${name}-x`, 'a', Buffer.from(content), headers === undefined ? undefined : { headers }, () =>
        confirmed.push(`${content}:${lane()}`),
      ),
    )
  publish('1', 'gray')
  publish('2')
  publish('3', 'gray', { 'x-mse-tag': 'red' })
  publish('4', 'gray', { 'x-mse-tag': '-' })
  publish('5', undefined, { 'x-mse-tag': '-', a: 1 })
  runInLane('gray', () => channel.sendToQueue(name, Buffer.from('6'), { headers: { a: 1 } }))
  channel.sendToQueue(name, Buffer.from('7'))
  await until(() => seen.length === 7 && confirmed.length === 5)
  assert.deepEqual(seen.sort(), [
    '1:gray:gray',
    '2:none:undefined',
    '3:red:red',
    '4:gray:gray',
    '5:none:undefined',
    '6:gray:gray',
    '7:none:undefined',
  ])
  assert.deepEqual(confirmed.sort(), ['1:gray', '2:none', '3:gray', '4:gray', '5:none'])
})

test('propagate: callbacks, and a consumer without the guard, which leaks the lane that opened it', async () => {
  const { name, channel: plain } = await plainQueue()
  const control = newName()
  await plain.assertQueue(control)
  const seen = []
  const connection = await new Promise((resolve, reject) => {
    callbacks.connect(rabbit.url, (error, made) => (error ? reject(error) : resolve(laneAmqp(made))))
  })
  open.push({ close: () => new Promise(done => connection.close(done)) })
  const channel = await runInLane(
    'blue',
    () =>
      new Promise((resolve, reject) => {
        connection.createChannel((error, made) => (error ? reject(error) : resolve(made)))
      }),
  )
  channel.consume(name, message => seen.push(`guarded ${message.content}:${lane()}`), { noAck: true })
  await runInLane('blue', async () => {
    const leaking = await (await connect()).createChannel()
    await leaking.consume(control, message => seen.push(`control ${message.content}:${lane()}`), { noAck: true })
  })
  runInLane('gray', () => channel.sendToQueue(name, Buffer.from('1')))
  channel.sendToQueue(name, Buffer.from('2'))
  plain.sendToQueue(control, Buffer.from('3'))
  await until(() => seen.length === 3)
  assert.deepEqual(seen.sort(), ['control 3:blue', 'guarded 1:gray', 'guarded 2:none'])
})

test('propagate: values that are no lane are counted, removed, and never throw', async () => {
  const { name, channel, send } = await plainQueue()
  const events = []
  const note = event => event.destination === name && events.push(event.problem)
  messages.subscribe(note)
  const seen = []
  const consumer = await (await connect({})).createChannel()
  await consumer.consume(
    name,
    message => seen.push(`${message.content}:${lane()}:${message.properties.headers['x-mse-tag']}`),
    { noAck: true },
  )
  const values = [
    '',
    '-',
    'a,b,c,d,e',
    'x'.repeat(300),
    42,
    true,
    ['gray', 'blue'],
    ['gray', 'gray'],
    { a: 1 },
    '__proto__',
  ]
  for (const [i, value] of values.entries()) send(`${i}`, value)
  channel.sendToQueue(name, Buffer.from('own'), { headers: { ['__proto__']: { 'x-mse-tag': 'gray' } } })
  send('big', undefined, { headers: { big: 'x'.repeat(50_000) } })
  await until(() => seen.length === values.length + 2)
  messages.unsubscribe(note)
  assert.equal(
    seen.find(one => one.startsWith('7:')),
    '7:gray:gray,gray',
  )
  // amqplib gives the headers object the prototype that a header `__proto__` holds: it is not the message's own value.
  assert.ok(seen.some(one => one.startsWith('own:none:')))
  for (const one of seen) if (!/^(7|own):/.test(one)) assert.match(one, /:none:undefined$/)
  assert.deepEqual(events.filter(problem => problem !== undefined).sort(), [
    'conflict',
    ...Array.from({ length: 8 }, () => 'invalid'),
  ])
})

test('propagate: amqp-connection-manager buffers messages, and each keeps the lane of its call', async () => {
  const { name } = await plainQueue()
  const connection = laneAmqp(manager.connect([rabbit.url]))
  open.push(connection)
  const seen = []
  const wrapper = connection.createChannel({
    json: true,
    setup: channel =>
      channel.consume(name, message => {
        seen.push(`${JSON.parse(message.content).id}:${lane()}`)
        channel.ack(message)
      }),
  })
  // Not connected yet: all of these wait in one buffer, which one of them empties.
  const tags = Array.from({ length: 60 }, (_, i) => [undefined, 'gray', 'blue'][i % 3])
  await Promise.all(
    tags.map((tag, id) =>
      runInLane(tag, () => (id % 2 ? wrapper.sendToQueue(name, { id }) : wrapper.publish('', name, { id }))),
    ),
  )
  await until(() => seen.length === tags.length)
  assert.deepEqual(seen.sort(), tags.map((tag, id) => `${id}:${tag ?? 'none'}`).sort())
  await wrapper.close()
})

test('isolate: messages of the lane to the lane, others to base, as the producer sent them', async () => {
  const { name, channel, send } = await plainQueue()
  await channel.assertExchange(`${name}-x`, 'topic')
  await channel.bindQueue(name, `${name}-x`, 'orders.#')
  const seen = new Map()
  const handle = who => (message, on) => {
    const { exchange, routingKey } = message.fields
    const { headers, messageId, expiration, priority, type } = message.properties
    seen.set(`${message.content}`, {
      who,
      lane: lane(),
      exchange,
      routingKey,
      headers,
      messageId,
      expiration,
      priority,
      type,
    })
    on.ack(message)
  }
  const base = await side(name, 'base', handle('base'))
  const gray = await side(name, 'gray', handle('gray'))
  const options = { messageId: 'id', type: 't', priority: 3, expiration: '60000', persistent: true }
  for (const tag of ['gray', undefined, 'blue', 'base']) {
    const headers = { a: 1, ...(tag !== undefined && { 'x-mse-tag': tag }) }
    channel.publish(`${name}-x`, 'orders.new', Buffer.from(`x ${tag}`), { ...options, headers })
  }
  send('gray-2,gray', 'gray-2,gray')
  channel.publish('', name, Buffer.from('copied'), { headers: { 'x-mse-tag': 'gray' }, CC: [`${name}-cc`] })
  const asUser = { userId: 'guest', headers: { 'x-mse-tag': 'gray' } }
  channel.publish('', name, Buffer.from('by user'), asUser)
  const copies = []
  await channel.assertQueue(`${name}-cc`)
  await channel.consume(`${name}-cc`, message => copies.push(`${message.content}`), { noAck: true })
  await until(() => seen.size === 7)
  const sent = {
    exchange: `${name}-x`,
    routingKey: 'orders.new',
    messageId: 'id',
    expiration: '60000',
    priority: 3,
    type: 't',
  }
  assert.deepEqual(seen.get('x gray'), { who: 'gray', lane: 'gray', ...sent, headers: { a: 1, 'x-mse-tag': 'gray' } })
  assert.deepEqual(seen.get('x undefined'), { who: 'base', lane: 'none', ...sent, headers: { a: 1 } })
  assert.deepEqual(seen.get('x blue'), { who: 'base', lane: 'blue', ...sent, headers: { a: 1, 'x-mse-tag': 'blue' } })
  assert.deepEqual(seen.get('x base').who, 'base')
  assert.equal(seen.get('gray-2,gray').who, 'gray')
  assert.deepEqual([seen.get('copied').who, seen.get('copied').routingKey], ['gray', name])
  assert.deepEqual(seen.get('copied').headers.CC, [`${name}-cc`])
  assert.equal(seen.get('by user').who, 'gray')
  await sleep(300)
  assert.ok(copies.length <= 1, `no more copies than the producer sent: ${copies}`)
  await gray.end()
  send('after', 'gray')
  await until(() => seen.has('after'))
  assert.equal(seen.get('after').who, 'base')
  assert.equal(seen.get('after').lane, 'gray')
  await base.end()
})

test('isolate: what a lane leaves returns to base, in its lane and with its routing key', async () => {
  const { name, channel } = await plainQueue()
  await channel.assertExchange(`${name}-x`, 'topic')
  await channel.bindQueue(name, `${name}-x`, '#')
  const seen = []
  const base = await side(name, 'base', (message, on) => {
    const { fields, properties } = message
    seen.push(
      `${message.content} base ${lane()} ${fields.exchange} ${fields.routingKey} ${Object.keys(properties.headers)}`,
    )
    on.ack(message)
  })
  const held = []
  const gray = await side(name, 'gray', message => held.push(`${message.content}`), { prefetch: 2 })
  for (let i = 0; i < 5; i++) {
    channel.publish(`${name}-x`, 'orders.new', Buffer.from(`${i}`), { headers: { 'x-mse-tag': 'gray' } })
  }
  await until(() => held.length === 2)
  gray.connection.connection.stream.destroy()
  await until(() => seen.length === 5)
  assert.deepEqual(
    seen.sort(),
    Array.from({ length: 5 }, (_, i) => `${i} base gray ${name}-x orders.new x-mse-tag`),
  )
  await base.end()
})

test("isolate: with whenLaneMissing: 'fail' the messages of a lane wait for it, and others do not", async () => {
  const { name, channel, send } = await plainQueue()
  await channel.assertExchange(`${name}-x`, 'topic')
  await channel.bindQueue(name, `${name}-x`, 'orders.#')
  const seen = []
  const handle = who => (message, on) => {
    const { exchange, routingKey } = message.fields
    const { headers } = message.properties
    const extra = Object.keys(headers).filter(key => key !== 'x-mse-tag')
    seen.push(`${message.content}:${who}:${lane()}:${exchange}:${routingKey}:${extra}`)
    on.ack(message)
  }
  const outcomes = []
  const note = ({ destination, outcome }) => destination === name && outcomes.push(outcome)
  messages.subscribe(note)
  const waitingFor = { laneTtlMs: 300, whenLaneMissing: 'fail' }
  const base = await side(name, undefined, handle('base'), waitingFor)
  for (let i = 0; i < 30; i++) {
    const headers = i % 3 === 0 ? {} : { 'x-mse-tag': i % 3 === 1 ? 'gray' : 'blue-2,blue' }
    channel.publish(`${name}-x`, 'orders.new', Buffer.from(`${i}`), { headers })
  }
  // Each message of a lane goes round more often than once.
  await until(() => outcomes.filter(one => one === 'waiting').length > 60)
  assert.equal(seen.length, 10)
  assert.ok(seen.every(one => one.endsWith(`:base:none:${name}-x:orders.new:`)))
  const gray = await side(name, 'gray', handle('gray'), waitingFor)
  await until(() => seen.length === 20)
  assert.equal(seen.filter(one => one.endsWith(`:gray:gray:${name}-x:orders.new:`)).length, 10)
  await gray.end()
  send('late', 'gray')
  await until(async () => outcomes.filter(one => one === 'waiting').length > 100)
  assert.equal(seen.length, 20)
  const blue = await side(name, 'blue', handle('blue'), waitingFor)
  await until(() => seen.length === 30)
  assert.equal(seen.filter(one => one.includes(':blue:blue-2,blue:')).length, 10)
  const again = await side(name, 'gray', handle('gray'), waitingFor)
  await until(() => seen.length === 31)
  assert.equal(new Set(seen.map(one => one.split(':')[0])).size, 31)
  messages.unsubscribe(note)
  for (const one of [base, blue, again]) await one.connection.close()
})

test("isolate: a message that the lane's handler rejects goes to the dead letters of the queue", async () => {
  const dead = newName()
  const { channel } = await plainQueue()
  await channel.assertExchange(`${dead}-x`, 'topic')
  await channel.assertQueue(dead)
  await channel.bindQueue(dead, `${dead}-x`, 'orders.#')
  const { name, channel: producer } = await plainQueue({ deadLetterExchange: `${dead}-x` })
  await producer.assertExchange(`${name}-x`, 'topic')
  await producer.bindQueue(name, `${name}-x`, '#')
  const letters = []
  await channel.consume(dead, message => letters.push(message), { noAck: true })
  const handled = []
  const reject = who => (message, on) => {
    handled.push(`${message.content} ${who}`)
    on.nack(message, false, false)
  }
  const base = await side(name, 'base', reject('base'))
  const gray = await side(name, 'gray', reject('gray'))
  for (const tag of ['gray', undefined]) {
    const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
    producer.publish(`${name}-x`, 'orders.new', Buffer.from(`${tag}`), { headers })
  }
  await until(() => letters.length === 2)
  assert.deepEqual(handled.sort(), ['gray gray', 'undefined base'])
  for (const { fields, properties } of letters) {
    assert.equal(fields.routingKey, 'orders.new')
    assert.equal(properties.headers['x-death'][0].queue, name)
    assert.equal(properties.headers['x-death'][0].reason, 'rejected')
  }
  await Promise.all([base.end(), gray.end()])
})

test('isolate: a lane that is alive and slow handles everything, and a warning says that it is slow', async () => {
  const { name, send } = await plainQueue()
  const seen = []
  const base = await side(name, 'base', (message, on) => {
    seen.push('base')
    on.ack(message)
  })
  const gray = await side(
    name,
    'gray',
    async (message, on) => {
      seen.push('gray')
      await sleep(60)
      on.ack(message)
    },
    { prefetch: 1, laneTtlMs: 200 },
  )
  warnings.length = 0
  for (let i = 0; i < 60; i++) send(`${i}`, 'gray')
  await until(() => seen.length >= 60)
  await sleep(500)
  assert.deepEqual(
    seen,
    Array.from({ length: 60 }, () => 'gray'),
  )
  assert.ok(warnings.some(text => /come back to .* times/.test(text)))
  await Promise.all([base.end(), gray.end()])
})

test('isolate: wrong use is refused with a fix; the connection and its channels live on', async () => {
  const { name, channel: plain } = await plainQueue()
  const connection = await connect({ tag: 'gray' })
  const channel = await connection.createChannel()
  const consume = options => channel.consume(name, () => {}, { lanes: 'isolate', ...options })
  const refused = async (run, message) => {
    await assert.rejects(async () => run(), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  await refused(() => consume({ noAck: true }), /leave noAck out/)
  await refused(() => consume({ exclusive: true }), /leave one of them out/)
  await refused(() => consume({ lanes: 'isolated' }), /did you mean "isolate"\?/)
  await refused(() => consume({ laneTtlMs: '10' }), /whole number of milliseconds/)
  await refused(() => channel.consume('amq.gen-x', () => {}, { lanes: 'isolate' }), /use 'propagate'/)
  await plain.assertQueue(`${name}_gray`)
  await refused(() => consume({}), /cannot be declared .*PRECONDITION/s)
  assert.ok(await channel.checkQueue(name), 'the channel of the application is open')
  const wrapped = laneAmqp(manager.connect([rabbit.url]))
  open.push(wrapped)
  const wrapper = wrapped.createChannel()
  await refused(() => wrapper.consume(name, () => {}, { lanes: 'isolate' }), /consume in a set-up function/)
  await wrapper.close()
})

test('isolate: with amqp-connection-manager, in a set-up function', async () => {
  const { name, send } = await plainQueue()
  const seen = []
  const consumer = tag => {
    const connection = laneAmqp(manager.connect([rabbit.url]), { tag })
    open.push(connection)
    return connection.createChannel({
      setup: channel =>
        channel.consume(
          name,
          message => {
            seen.push(`${message.content}:${tag}:${lane()}`)
            channel.ack(message)
          },
          { lanes: 'isolate' },
        ),
    })
  }
  await Promise.all([consumer('base').waitForConnect(), consumer('gray').waitForConnect()])
  for (const [i, tag] of [undefined, 'gray', 'blue'].entries()) send(`${i}`, tag)
  await until(() => seen.length === 3)
  assert.deepEqual(seen.sort(), ['0:base:none', '1:gray:gray', '2:base:blue'])
})

test('a lane instance without isolation warns once', async () => {
  warnings.length = 0
  const connection = await connect({ tag: 'gray' })
  for (let i = 0; i < 3; i++) {
    const channel = await connection.createChannel()
    await channel.assertQueue(newName())
    await channel.consume(`q${process.pid}-${count}`, () => {}, { noAck: true })
  }
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /lane gray consumes .* without isolation/)
})

test('close: nothing is left behind on a channel that closes', async () => {
  const { name } = await plainQueue()
  const { channel, connection } = await side(name, 'base', () => {})
  const closed = once(channel, 'close')
  await connection.close()
  await closed
})
