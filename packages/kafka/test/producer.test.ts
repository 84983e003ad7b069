import { currentLane, kLane, runInLane } from '@laneway/core'
import { laneKafka } from '@laneway/kafka'
import t from 'tap'

/** Records what reaches the client; the real ones are in test/messages. */
function recorder(methods: string[]) {
  const calls: any[][] = []
  const made: any = { calls }
  for (const name of methods) made[name] = (...args: unknown[]) => calls.push(args)
  return made
}
const kafkajs = () => recorder(['send', 'sendBatch'])
const platformatic = (serializers?: object) =>
  Object.assign(recorder(['send', 'initIdempotentProducer']), {
    [Symbol('plt.kafka.base.options')]: { serializers },
  })
const text = {
  headerKey: (value: unknown) => Buffer.from(String(value)),
  headerValue: (value: string) => Buffer.from(value),
}

t.test('a producer tags once, and changes no object of the caller', async t => {
  const producer = kafkajs()
  t.equal(laneKafka(laneKafka(producer)), producer)
  const message = Object.freeze({ value: 'x', headers: Object.freeze({ a: '1' }) })
  const record = Object.freeze({ topic: 'orders', acks: 1, messages: Object.freeze([message]) })
  runInLane('gray', () => producer.send(record))
  runInLane('gray', () => producer.sendBatch({ topicMessages: [record] }))
  producer.send(record)
  t.strictSame(producer.calls[0][0], {
    ...record,
    messages: [{ value: 'x', headers: { a: '1', 'x-mse-tag': 'gray' } }],
  })
  t.strictSame(producer.calls[1][0], { topicMessages: [producer.calls[0][0]] })
  t.equal(producer.calls[2][0].messages[0], message, 'an untagged message is not copied')
})

t.test('propagate keeps the lane from a topic; a tag set by hand is removed there, too', async t => {
  const producer = laneKafka(kafkajs(), { propagate: topic => topic !== 'partner' })
  for (const headers of [undefined, { 'x-mse-tag': 'gray' }, { 'x-mse-tag': Buffer.from('-') }]) {
    runInLane('gray', () =>
      producer.send({ topic: 'partner', messages: [{ value: 'x', ...(headers && { headers }) }] }),
    )
  }
  for (const [{ messages }] of producer.calls) t.notOk(messages[0].headers?.['x-mse-tag'])
})

t.test('what the client would refuse reaches it as it is', async t => {
  const producer = laneKafka(kafkajs())
  for (const wrong of [undefined, null, {}, { topic: 'x' }, { topic: 'x', messages: 'x' }]) {
    runInLane('gray', () => producer.send(wrong))
    t.equal(producer.calls.at(-1)[0], wrong)
  }
  runInLane('gray', () => producer.sendBatch({}))
  t.strictSame(producer.calls.at(-1)[0], {})
  const other = laneKafka(platformatic())
  for (const wrong of [undefined, {}, { messages: 'x' }]) {
    runInLane('gray', () => other.send(wrong))
    t.equal(other.calls.at(-1)[0], wrong)
  }
})

const forms: Record<string, [serializers: object | undefined, headers: any, expected: any]> = {
  'no serializers and no headers: bytes': [undefined, undefined, [['x-mse-tag', 'gray']]],
  'no serializers and a tag in bytes: replaced': [
    undefined,
    new Map([[Buffer.from('x-mse-tag'), Buffer.from('-')]]),
    [['x-mse-tag', 'gray']],
  ],
  'text and no headers: an object': [text, undefined, { 'x-mse-tag': 'gray' }],
  'text and an object: an object': [text, { a: '1', 'x-mse-tag': '-' }, { a: '1', 'x-mse-tag': 'gray' }],
  'text and a Map: a Map': [
    text,
    new Map([['a', '1']]),
    [
      ['a', '1'],
      ['x-mse-tag', 'gray'],
    ],
  ],
}
for (const [name, [serializers, headers, expected]] of Object.entries(forms)) {
  t.test(`@platformatic/kafka, ${name}`, async t => {
    const producer = laneKafka(platformatic(serializers))
    runInLane('gray', () => producer.send({ messages: [{ topic: 'x', headers }] }))
    const sent = producer.calls[0][0].messages[0].headers
    t.strictSame(sent instanceof Map ? [...sent].map(entry => entry.map(String)) : sent, expected)
    if (serializers === undefined) t.ok([...sent].flat().every((one: unknown) => Buffer.isBuffer(one)))
  })
}

t.test('a decision that travels with a message stands; a callback runs in the lane of the call', async t => {
  const producer = laneKafka(platformatic(text))
  let lane: string | undefined
  runInLane('blue', () =>
    producer.send({ messages: [{ topic: 'x', [kLane]: null }] }, () => {
      lane = currentLane()?.header
    }),
  )
  t.equal(producer.calls[0][0].messages[0].headers, undefined)
  producer.calls[0][1]()
  t.equal(lane, 'blue')
})

t.test('what is no client is refused, and so are wrong options', async t => {
  for (const wrong of [{}, 'kafka', undefined, { send() {} }]) {
    t.throws(() => laneKafka(wrong as object), { code: 'LANEWAY_INVALID_OPTION' })
  }
  t.throws(() => laneKafka(kafkajs(), { trusts: 'edge' } as object), { code: 'LANEWAY_INVALID_OPTION' })
})
