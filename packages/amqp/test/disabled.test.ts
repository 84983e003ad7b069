import { laneAmqp, laneRabbit } from '@laneway/amqp'
import { runInLane } from '@laneway/core'
import t from 'tap'

t.test('LANEWAY_DISABLE leaves channels and connections as they are', async t => {
  t.teardown(() => {
    delete process.env['LANEWAY_DISABLE']
  })
  for (const parts of ['all', 'http,amqp']) {
    process.env['LANEWAY_DISABLE'] = parts
    const sent: unknown[][] = []
    const channel = { publish: (...args: unknown[]) => sent.push(args), sendToQueue() {}, consume() {} }
    const { publish, consume } = channel
    t.equal(laneAmqp(channel, { header: 'not a header' }), channel)
    t.same([channel.publish, channel.consume], [publish, consume])
    runInLane('gray', () => channel.publish('x', 'key', 'body', { headers: { 'x-mse-tag': '-' } }))
    t.strictSame(sent, [['x', 'key', 'body', { headers: { 'x-mse-tag': '-' } }]])
    const connection = { createConsumer: () => {} }
    const { createConsumer } = connection
    t.equal(laneRabbit(connection).createConsumer, createConsumer)
  }
})
