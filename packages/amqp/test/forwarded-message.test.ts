import t from 'tap'
import type { AmqpMessage } from '../src/amqp.js'
import { forwardOptions, isRejectedByLane, restore, returnsOf } from '../src/isolation/forwarded-message.js'

const original = (headers: Record<string, unknown>, more: Record<string, unknown> = {}): AmqpMessage => ({
  content: Buffer.from('x'),
  fields: { deliveryTag: 1, redelivered: false, exchange: 'x', routingKey: 'orders.new' },
  properties: { headers: { 'x-mse-tag': 'gray', ...headers }, contentType: undefined, ...more },
})
/** What the lane's consumer, or base after a return, gets. */
const arrived = (sent: any, deaths: unknown[] = []): AmqpMessage => ({
  content: Buffer.from('x'),
  fields: { deliveryTag: 9, redelivered: false, exchange: 'laneway.orders_gray', routingKey: 'orders.new' },
  properties: { ...sent, headers: { ...sent.headers, ...(deaths.length > 0 && { 'x-death': deaths }) } },
})
const died = (queue: string, reason: string, count = 1) => ({ queue, reason, count, exchange: 'x' })

t.test('a message is the original again after the lane, and after a return to base', async t => {
  const before = original({ a: 1, CC: ['copy'] }, { expiration: '500', userId: 'ann', messageId: 'id', priority: 3 })
  const sent = forwardOptions(before, 'orders')
  t.notOk('expiration' in sent, 'the shorter of two times to live would win')
  t.notOk('userId' in sent, 'the broker compares it with the user of the connection')
  t.notOk('CC' in sent.headers, 'the broker would send the copies again')
  t.notOk('contentType' in sent)
  for (const deaths of [[], [died('orders_gray', 'expired')]]) {
    const message = arrived(sent, deaths)
    if (deaths.length > 0) {
      Object.assign(message.properties.headers!, {
        'x-first-death-queue': 'orders_gray',
        'x-first-death-reason': 'expired',
        'x-first-death-exchange': 'laneway.orders_gray',
      })
    }
    restore(message, 'orders', ['gray'])
    t.strictSame(message.properties.headers, { a: 1, 'x-mse-tag': 'gray', CC: ['copy'] })
    t.match(message.properties, { expiration: '500', userId: 'ann', messageId: 'id', priority: 3 })
    t.equal(message.fields.exchange, 'x')
  }
  const again = forwardOptions(arrived(sent, [died('orders_gray', 'expired')]), 'orders')
  const message = arrived(again)
  restore(message, 'orders', ['gray'])
  t.strictSame(message.properties.headers, { a: 1, 'x-mse-tag': 'gray', CC: ['copy'] }, 'moved twice')
  t.match(message.properties, { expiration: '500', userId: 'ann' })
})

t.test('deaths of the application stay, and a cycle of its own is hidden from the broker', async t => {
  const own = [died('orders', 'rejected', 2), died('retry', 'expired', 2)]
  const sent = forwardOptions(original({ 'x-death': own }), 'orders')
  t.strictSame(sent.headers['x-death'], own)
  const message = arrived(sent, [died('orders_gray', 'expired', 4), ...own])
  t.equal(returnsOf(message, 'orders', ['gray']), 4)
  restore(message, 'orders', ['gray'])
  t.strictSame(message.properties.headers?.['x-death'], own)

  const cycle = [died('orders', 'expired')]
  const hidden = forwardOptions(original({ 'x-death': cycle }), 'orders')
  t.notOk('x-death' in hidden.headers)
  const back = arrived(hidden)
  restore(back, 'orders', ['gray'])
  t.strictSame(back.properties.headers?.['x-death'], cycle)
})

t.test('base refuses what the lane refused, and nothing else', async t => {
  const sent = forwardOptions(original({}), 'orders')
  const rejected = (message: AmqpMessage) => isRejectedByLane(message, 'orders', ['gray', 'blue'])
  t.ok(rejected(arrived(sent, [died('orders_gray', 'rejected')])))
  t.ok(rejected(arrived(sent, [died('orders_blue', 'delivery_limit')])))
  t.notOk(rejected(arrived(sent, [died('orders_gray', 'expired')])))
  t.notOk(rejected(arrived(sent, [died('retry', 'expired'), died('orders_gray', 'rejected')])), 'an earlier round')
  t.notOk(rejected(arrived(sent)))
  t.notOk(rejected(original({ 'x-death': [died('orders_gray', 'rejected')] })), 'never moved')
  t.equal(returnsOf(original({ 'x-death': [died('orders_gray', 'expired')] }), 'orders', ['gray']), 0)
})
