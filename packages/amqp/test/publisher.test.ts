import { laneAmqp } from '@laneway/amqp'
import { currentLane, kLane, runInLane } from '@laneway/core'
import t from 'tap'

/** Records what reaches the channel; the real one is in test/messages. */
class Recorder {
  readonly calls: any[][] = []
  publish(...args: any[]) {
    this.calls.push(args)
    return true
  }
  sendToQueue(queue: string, content: Buffer, options?: object) {
    return this.publish('', queue, content, options)
  }
  consume() {}
}

const body = Buffer.from('x')

t.test('publish tags once, and changes no object of the caller', async t => {
  const recorder = new Recorder()
  const channel = laneAmqp(recorder)
  t.equal(channel, recorder)
  t.equal(laneAmqp(channel), recorder)
  const options = Object.freeze({ persistent: true, headers: Object.freeze({ a: 1 }) })
  t.equal(
    runInLane('gray', () => channel.publish('x', 'key', body, options)),
    true,
    'what the method returns is returned',
  )
  runInLane('gray', () => channel.sendToQueue('q', body))
  channel.publish('x', 'key', body, options)
  t.strictSame(recorder.calls, [
    ['x', 'key', body, { persistent: true, headers: { a: 1, 'x-mse-tag': 'gray' } }],
    ['', 'q', body, { headers: { 'x-mse-tag': 'gray' } }],
    ['x', 'key', body, options],
  ])
  t.equal(recorder.calls[2]?.[3], options, 'untagged options are not copied')
})

t.test('a decision that travels with the options stands, whatever the lane of the code that sends them', async t => {
  const recorder = new Recorder()
  const channel = laneAmqp(recorder)
  runInLane('blue', () => channel.publish('', 'q', body, { [kLane]: null }))
  t.equal(recorder.calls[0]?.[3].headers, undefined)
})

t.test('an instance of a lane consumes replies without a warning, and other queues with one', async t => {
  const warnings: string[] = []
  const channel = laneAmqp(new Recorder(), { tag: 'gray', warn: message => warnings.push(message) }) as any
  channel.consume('amq.gen-1', () => {})
  channel.consume('amq.rabbitmq.reply-to', () => {})
  t.strictSame(warnings, [])
  channel.consume('orders', () => {})
  t.equal(warnings.length, 1)
})

t.test('a confirmation runs in the lane of the call', async t => {
  const recorder = new Recorder()
  const channel = laneAmqp(recorder)
  let lane: string | undefined
  runInLane('gray', () => channel.publish('', 'q', body, {}, () => (lane = currentLane()?.header)))
  runInLane('blue', () => recorder.calls[0]?.[4]())
  t.equal(lane, 'gray')
})

t.test('propagate keeps the lane from a destination: the exchange, or the queue of the default one', async t => {
  const recorder = new Recorder()
  const channel = laneAmqp(recorder, { propagate: name => name !== 'partner' })
  runInLane('gray', () => {
    channel.publish('partner', 'key', body, { headers: { 'x-mse-tag': 'gray', a: 1 } })
    channel.sendToQueue('partner', body)
    channel.publish('x', 'partner', body)
  })
  t.strictSame(
    recorder.calls.map(call => call[3]?.headers),
    [{ a: 1 }, undefined, { 'x-mse-tag': 'gray' }],
  )
})
