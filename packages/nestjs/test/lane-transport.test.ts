import { currentLane, runInLane } from '@laneway/core'
import t from 'tap'
import { laneKafkaTransport } from '../src/kafka.js'
import { laneRmqTransport } from '../src/rmq.js'

/** Of a client of kafkajs, for what happens around it; test/nestjs has the real transports. */
function transport(wrap: (client: object) => unknown) {
  const sent: any[] = []
  const made: string[] = []
  return {
    sent,
    made,
    createClient() {
      made.push(currentLane()?.header ?? 'none')
      return wrap({ producer: () => ({ send: (one: any) => sent.push(one), sendBatch() {} }), consumer: () => ({}) })
    },
    createObserver: (observer: string[]) => (reply: string) => observer.push(`${reply} ${currentLane()?.header}`),
  }
}

const WAYS: Record<string, (client: object) => unknown> = {
  'at once, as in Nest 10 and 11': client => client,
  'as a promise, as in Nest 12': client => Promise.resolve(client),
}

for (const [way, wrap] of Object.entries(WAYS)) {
  t.test(`the connection gets lanes and belongs to none, replies belong to the caller: made ${way}`, async t => {
    const given = transport(wrap)
    const one = laneKafkaTransport(laneKafkaTransport(given))
    t.equal(one, given)
    const observed: string[] = []
    const client: any = await runInLane('gray', () => one.createClient())
    const reply = runInLane('gray', () => one.createObserver(observed))
    runInLane('blue', () => reply('answer'))
    t.strictSame(observed, ['answer gray'])
    t.strictSame(given.made, ['none'])
    runInLane('gray', () => client.producer().send({ topic: 'orders', messages: [{ value: '1' }] }))
    t.match(given.sent, [{ messages: [{ value: '1', headers: { 'x-mse-tag': 'gray' } }] }])
  })
}

t.test('what is no transport, and wrong options, are refused', async t => {
  for (const wrong of [undefined, {}, { createClient: 1 }]) {
    t.throws(() => laneKafkaTransport(wrong as object), {
      code: 'LANEWAY_INVALID_OPTION',
      message: /laneKafkaTransport/,
    })
    t.throws(() => laneRmqTransport(wrong as object), { code: 'LANEWAY_INVALID_OPTION', message: /laneRmqTransport/ })
  }
})
