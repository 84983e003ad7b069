import { currentLane, runInLane } from '@laneway/core'
import { eachInLane, messageLane } from '@laneway/messaging'
import t from 'tap'

const gray = Buffer.from('gray')

t.test('messageLane finds the lane where each client keeps headers', async t => {
  const of = (message: unknown, header?: string) => messageLane(message, header)?.header
  t.equal(of({ headers: { 'x-mse-tag': gray } }), 'gray', 'kafkajs')
  t.equal(of({ headers: { 'x-mse-tag': [gray, gray] } }), 'gray', 'kafkajs, two records')
  t.equal(of({ topic: 't', message: { headers: { 'x-mse-tag': gray } } }), 'gray', 'eachMessage')
  t.equal(of({ headers: new Map([['x-mse-tag', 'gray']]) }), 'gray', 'platformatic, text')
  t.equal(of({ headers: new Map([[Buffer.from('x-mse-tag'), gray]]) }), 'gray', 'platformatic, bytes')
  t.equal(of({ properties: { headers: { 'x-mse-tag': 'gray' } } }), 'gray', 'amqplib')
  t.equal(of({ properties: new Map([['x-mse-tag', 'gray']]) }), 'gray', 'RocketMQ')
  t.equal(of({ opts: { 'x-mse-tag': 'gray' } }), 'gray', 'BullMQ')
  t.equal(of({ headers: { values: (name: string) => (name === 'x-mse-tag' ? ['gray'] : []) } }), 'gray', 'NATS')
  t.equal(of({ headers: { lane: 'gray' } }, 'lane'), 'gray', 'another name')
})

t.test('messageLane never throws, and reads own headers only', async t => {
  const inherited = { headers: Object.create({ 'x-mse-tag': 'gray' }) }
  const throwing = Object.defineProperty({}, 'headers', {
    get: () => {
      throw new Error('no')
    },
  })
  for (const one of [undefined, null, 1, 'gray', {}, { headers: null }, { properties: null }, inherited, throwing]) {
    t.equal(messageLane(one), undefined)
  }
  t.equal(messageLane({ headers: { 'x-mse-tag': ['gray', 'blue'] } }), undefined)
})

t.test('eachInLane runs each message in its lane, none included, in order', async t => {
  const message = (id: number, lane?: string) => ({ id, headers: lane === undefined ? {} : { 'x-mse-tag': lane } })
  const list = [message(1, 'gray'), message(2), message(3, 'blue'), message(4, '-')]
  const handle = async ({ id }: { id: number }) => {
    await new Promise(resolve => setImmediate(resolve))
    return `${id} ${currentLane()?.header}`
  }
  const expected = ['1 gray', '2 undefined', '3 blue', '4 undefined']
  for (const batch of [list, { messages: list }, { batch: { messages: list } }, new Set(list)]) {
    t.strictSame(await runInLane('green', () => eachInLane(batch, handle)), expected)
  }
  const seen: number[] = []
  const failing = async ({ id }: { id: number }) => {
    seen.push(id)
    if (id === 2) throw new Error('second')
  }
  await t.rejects(eachInLane(list, failing), { message: 'second' })
  t.strictSame(seen, [1, 2], 'the messages behind a failure are not handled')
})

t.test('eachInLane takes a stream of messages, and collects nothing of it', async t => {
  const seen: string[] = []
  async function* stream() {
    for (const lane of ['gray', undefined, 'blue']) yield { headers: lane === undefined ? {} : { 'x-mse-tag': lane } }
  }
  const done = await runInLane('green', () => eachInLane(stream(), () => seen.push(`${currentLane()?.header}`)))
  t.equal(done, undefined)
  t.strictSame(seen, ['gray', 'undefined', 'blue'])
})
