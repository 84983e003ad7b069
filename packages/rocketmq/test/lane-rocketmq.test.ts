import { currentLane, runInLane } from '@laneway/core'
import { laneRocketmq } from '@laneway/rocketmq'
import t from 'tap'

/** Records what reaches the client; the real one is in test/messages. */
function producer() {
  const calls: any[] = []
  return {
    calls,
    started: 'none',
    send: (...args: any[]) => calls.push(args),
    startup() {
      this.started = currentLane()?.header ?? 'no lane'
    },
  }
}

t.test('send tags once, and changes no object of the caller', async t => {
  const one = producer()
  t.equal(laneRocketmq(laneRocketmq(one)), one)
  const message = Object.freeze({ topic: 'orders', properties: new Map([['a', '1']]) })
  runInLane('gray', () => one.send(message, 'transaction'))
  one.send(message)
  const [[tagged, rest], [untagged]] = one.calls
  t.strictSame(
    [...tagged.properties],
    [
      ['a', '1'],
      ['x-mse-tag', 'gray'],
      ['__microservice_tag__', '[{"name":"gray","tag":"gray","priority":-1}]'],
    ],
  )
  t.equal(rest, 'transaction')
  t.equal(message.properties.size, 1)
  t.equal(untagged, message)
  runInLane('blue', () => one.startup())
  t.equal(one.started, 'no lane', 'what it starts belongs to no request')
})

t.test(
  'a tag set by hand: the lane of the message, in both properties; kept from topics that propagate excludes',
  async t => {
    const one = laneRocketmq(producer(), { propagate: topic => topic !== 'partner' })
    const send = (topic: string, properties: [string, string][]) => {
      runInLane('gray', () => one.send({ topic, properties: new Map(properties) }))
      const sent = one.calls.at(-1)[0].properties as Map<string, string>
      return [sent.get('x-mse-tag'), sent.get('__microservice_tag__')?.slice(0, 14)]
    }
    t.strictSame(send('x', [['x-mse-tag', 'red']]), ['red', '[{"name":"red"'])
    t.strictSame(send('x', [['__microservice_tag__', '[{"tag":"red"}]']]), ['red', '[{"name":"red"'])
    t.strictSame(send('x', [['x-mse-tag', '-']]), ['gray', '[{"name":"gray'])
    t.strictSame(send('partner', [['x-mse-tag', 'red']]), [undefined, undefined])
    t.strictSame(send('partner', [['__microservice_tag__', '[]']]), [undefined, undefined])
  },
)

t.test('what the client would refuse reaches it as it is', async t => {
  const one = laneRocketmq(producer())
  for (const wrong of [undefined, null, { topic: 'x', properties: { a: '1' } }]) {
    one.send(wrong)
    t.equal(one.calls.at(-1)[0], wrong)
  }
  t.throws(() => laneRocketmq({}), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => laneRocketmq(undefined as never), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('a client that makes its services in another way is refused when it starts', async t => {
  const consumer = laneRocketmq({ createConsumeService: () => ({}) })
  t.throws(() => consumer.createConsumeService(), /does not know this version/)
})
