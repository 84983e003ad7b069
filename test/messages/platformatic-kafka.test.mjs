// Lanes in @platformatic/kafka on a real Kafka.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import { eachInLane, messageLane } from '@laneway/messaging'
import { startKafka } from '../servers/kafka/start.mjs'
import { until } from './until.mjs'

const client = await import(process.env.PLATFORMATIC_KAFKA ?? '@platformatic/kafka')
const { Consumer, Producer, stringDeserializers, stringSerializers } = client
const json = client.serializersFrom(client.jsonSerializer)
const fromJson = client.deserializersFrom(client.jsonDeserializer)

let broker
let clients = 0
const open = []
const lane = () => currentLane()?.header ?? 'none'

before(async () => (broker = await startKafka()))
after(async () => {
  await Promise.all(open.map(one => one.close(true)))
  await broker.stop()
})

function made(Class, options = {}) {
  const base = { clientId: `c${++clients}`, bootstrapBrokers: [broker.address], autocreateTopics: true, retries: 20 }
  const one = new Class({ ...base, ...(Class === Consumer && { groupId: `g${clients}` }), ...options })
  open.push(one)
  return one
}

/** Opened in a lane, as a request does that is the first to need it. */
const stream = (topic, options = {}, lanes = {}) =>
  runInLane('blue', () =>
    laneKafka(made(Consumer, options), lanes).consume({ topics: [topic], mode: 'earliest', sessionTimeout: 10_000 }),
  )

test('send carries the lane of the call, by promise and by callback; data is handled in the lane of its message', async () => {
  const producer = laneKafka(made(Producer))
  const topic = 'bytes'
  const one = (value, headers) => ({ topic, value: Buffer.from(value), ...(headers && { headers }) })
  const bytes = value => new Map([[Buffer.from('x-mse-tag'), Buffer.from(value)]])
  await producer.send({ messages: [one('first')] })
  await Promise.all(
    [undefined, 'gray', 'red'].map((tag, i) =>
      runInLane(tag, () => producer.send({ messages: [one(`${i}`), one(`own ${i}`, bytes('green'))] })),
    ),
  )
  const answered = await runInLane(
    'gray',
    () => new Promise(done => producer.send({ messages: [one('callback', bytes('-'))] }, () => done(lane()))),
  )
  assert.equal(answered, 'gray')
  const messages = await stream(topic)
  const seen = []
  runInLane('blue', () =>
    messages.on('data', async message => {
      await sleep(1)
      seen.push(`${message.value}:${lane()}:${messageLane(message)?.header ?? 'none'}`)
    }),
  )
  await until(() => seen.length === 8)
  assert.deepEqual(seen.sort(), [
    '0:none:none',
    '1:gray:gray',
    '2:red:red',
    'callback:gray:gray',
    'first:none:none',
    'own 0:green:green',
    'own 1:green:green',
    'own 2:green:green',
  ])
})

test('headers pass the serializers of the producer: text, JSON, and a Map of text', async () => {
  for (const [topic, serializers, deserializers] of [
    ['text', stringSerializers, stringDeserializers],
    ['json', json, fromJson],
  ]) {
    const producer = laneKafka(made(Producer, { serializers }))
    const headers = Object.freeze({ a: '1' })
    const one = (value, headers) => ({ topic, key: 'k', value, ...(headers && { headers }) })
    await producer.send({ messages: [one('none', headers)] })
    await runInLane('gray', () =>
      producer.send({ messages: [one('a', headers), one('b'), one('c', new Map([['a', '1']]))] }),
    )
    const seen = []
    const messages = await stream(topic, { deserializers })
    messages.on('data', ({ value, headers }) => seen.push([value, lane(), headers.get('x-mse-tag'), headers.get('a')]))
    await until(() => seen.length === 4)
    assert.deepEqual(seen, [
      ['none', 'none', undefined, '1'],
      ['a', 'gray', 'gray', '1'],
      ['b', 'gray', 'gray', undefined],
      ['c', 'gray', 'gray', '1'],
    ])
  }
})

test('what is written to a stream of the producer keeps the lane of its call, whenever the stream sends it', async () => {
  const topic = 'streamed'
  const producer = laneKafka(made(Producer, { serializers: stringSerializers }))
  const writer = runInLane('blue', () => producer.asStream({ batchSize: 10, batchTime: 20 }))
  for (const tag of ['gray', undefined, 'red']) runInLane(tag, () => writer.write({ topic, value: `${tag}` }))
  runInLane('green', () => writer.end({ topic, value: 'last' }))
  await once(writer, 'finish')
  const messages = await stream(topic, { deserializers: stringDeserializers })
  const seen = []
  for await (const { value, headers } of messages) {
    seen.push(`${value}:${headers.get('x-mse-tag')}`)
    if (seen.length === 4) break
  }
  assert.deepEqual(seen.sort(), ['gray:gray', 'last:green', 'red:red', 'undefined:undefined'])
})

test('a transaction carries the lane of each call', async () => {
  const topic = 'transacted'
  const producer = laneKafka(
    made(Producer, { serializers: stringSerializers, idempotent: true, transactionalId: 'plt' }),
  )
  await producer.send({ messages: [{ topic, value: 'before' }] })
  const transaction = await runInLane('blue', () => producer.beginTransaction())
  await runInLane('gray', () => transaction.send({ messages: [{ topic, value: 'gray' }] }))
  await transaction.send({ messages: [{ topic, value: 'none' }] })
  await transaction.commit()
  const seen = []
  const messages = await stream(topic, { deserializers: stringDeserializers })
  messages.on('data', ({ value }) => seen.push(`${value}:${lane()}`))
  await until(() => seen.length === 3)
  assert.deepEqual(seen, ['before:none', 'gray:gray', 'none:none'])
})

test('eachInLane handles a stream, each message in its lane; refused values are gone however it is read', async () => {
  const topic = 'foreign'
  const producer = made(Producer)
  const tag = (value, key = 'x-mse-tag') => [Buffer.from(key), Buffer.from(value)]
  const sets = [
    [tag('gray')],
    [tag('-')],
    [tag('')],
    [tag('gray'), tag('blue')],
    [tag('gray'), tag('gray')],
    [tag('gray', '__proto__')],
    [],
  ]
  for (const headers of sets) {
    await producer.send({ messages: [{ topic, value: Buffer.from('x'), headers: new Map(headers) }] })
  }
  const names = headers => [...headers.keys()].map(String).join()
  const read = async (lanes = {}) => {
    const messages = await stream(topic, {}, lanes)
    const seen = []
    const reading = eachInLane(messages, async ({ headers }) => {
      await sleep(1)
      seen.push(`${lane()}:${names(headers)}`)
    })
    await until(() => seen.length === sets.length)
    await messages.close()
    assert.equal(await reading, undefined)
    return seen
  }
  assert.deepEqual(await read(), [
    'gray:x-mse-tag',
    'none:',
    'none:',
    'none:',
    'gray:x-mse-tag,x-mse-tag',
    'none:__proto__',
    'none:',
  ])
  assert.deepEqual(await read({ trust: 'edge' }), [
    'none:',
    'none:',
    'none:',
    'none:',
    'none:',
    'none:__proto__',
    'none:',
  ])
})

test('a stream by callback has lanes, and a second call changes nothing', async () => {
  const topic = 'called'
  const producer = laneKafka(laneKafka(made(Producer, { serializers: stringSerializers })), {})
  await runInLane('gray', () => producer.send({ messages: [{ topic, value: 'x' }] }))
  const consumer = laneKafka(laneKafka(made(Consumer, { deserializers: stringDeserializers })))
  const messages = await new Promise((resolve, reject) =>
    consumer.consume({ topics: [topic], mode: 'earliest' }, (error, made) =>
      error ? reject(error) : resolve(laneKafka(made)),
    ),
  )
  const [where] = await new Promise(resolve => messages.once('data', () => resolve([lane()])))
  assert.equal(where, 'gray')
  assert.throws(() => laneKafka(new EventEmitter()), { code: 'LANEWAY_INVALID_OPTION' })
  assert.throws(() => consumer.consume({ topics: [topic], lanes: 'isolate' }), { code: 'LANEWAY_INVALID_OPTION' })
})
