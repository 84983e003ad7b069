import { runInLane } from '@laneway/core'
import { createMessageLanes, LaneLedgerView } from '@laneway/messaging/internal'
import { metrics } from '@opentelemetry/sdk-node'
import t from 'tap'
import { startLaneMetrics } from '../src/index.js'
import { startTracing } from './telemetry.js'

const { MetricReader } = metrics

class Reader extends MetricReader {
  protected override async onForceFlush() {}
  protected override async onShutdown() {}
}

/** What a consumer does with a message. */
function receive(value: unknown, options: { tag?: string; trust?: 'edge' } = {}): void {
  const lanes = createMessageLanes('test', 'amqp', options)
  const decision = lanes.incoming({ 'x-mse-tag': value }, {})
  lanes.report('orders', decision, lanes.outcomeOf(decision))
}

t.test('messages are counted by system, lane and outcome, and what is wrong with them as for requests', async t => {
  const reader = new Reader()
  const meterProvider = new metrics.MeterProvider({ readers: [reader] })
  t.teardown(startLaneMetrics({ meterProvider, lanes: ['gray'], durations: false }))
  t.teardown(() => meterProvider.shutdown())
  for (const value of ['gray', 'gray', 'invented', undefined, '-']) receive(value)
  receive('gray', { tag: 'gray' })
  receive(undefined, { tag: 'gray' })
  receive('gray', { trust: 'edge' })
  const { resourceMetrics } = await reader.collect()
  const found = resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(
        ({ attributes, value }) => `${[descriptor.name, ...Object.values(attributes)].join(' ')} = ${value}`,
      ),
    )
  t.strictSame(found.sort(), [
    'laneway.escapes = 1',
    'laneway.messages amqp _other base = 1',
    'laneway.messages amqp base base = 3',
    'laneway.messages amqp base strayed = 1',
    'laneway.messages amqp gray base = 2',
    'laneway.messages amqp gray own = 1',
    'laneway.tags.invalid = 1',
    'laneway.tags.stripped = 1',
  ])
})

t.test('consumers of logs and the age of their ledgers are shown until the last has left', async t => {
  const reader = new Reader()
  const meterProvider = new metrics.MeterProvider({ readers: [reader] })
  t.teardown(startLaneMetrics({ meterProvider, durations: false }))
  t.teardown(() => meterProvider.shutdown())
  const shown = async () => {
    const { resourceMetrics } = await reader.collect()
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [descriptor.name, ...Object.values(attributes), value].join(' ')),
      )
      .sort()
  }
  const clock = { ms: 7000 }
  const [orders, again, mail] = ['orders', 'orders', 'mail'].map(group => new LaneLedgerView(group, () => clock.ms))
  for (const view of [orders, again, mail]) view!.markFresh(0)
  const leave = [
    orders!.joined({ lane: 'base', role: 'base' }),
    orders!.joined({ lane: 'gray', role: 'stand-in' }),
    again!.joined({ lane: 'base', role: 'base' }),
    mail!.joined({ lane: 'gray', role: 'lane' }),
  ]
  mail!.markFresh(clock.ms)
  const rounded = (await shown()).map(text => text.replace(/ (\d+)\.\d+$/, ' $1'))
  t.strictSame(rounded, [
    'laneway.lane.consumers mail gray lane 1',
    'laneway.lane.consumers orders base base 2',
    'laneway.lane.consumers orders gray stand-in 1',
    'laneway.ledger.age mail 0',
    'laneway.ledger.age orders 7',
  ])
  for (const one of leave) one()
  t.strictSame(
    (await shown()).filter(text => text.startsWith('laneway.lane')),
    [
      'laneway.lane.consumers mail gray lane 0',
      'laneway.lane.consumers orders base base 0',
      'laneway.lane.consumers orders gray stand-in 0',
    ],
  )
})

t.test('the span of the consumer has the lane and the outcome of its message, no other span has', async t => {
  const { spans, tracer } = startTracing(t, {})
  const consume = (name: string, value: unknown) =>
    tracer.startActiveSpan(name, span => {
      receive(value)
      span.end()
      // A report after the end of the span changes nothing.
      receive('late')
    })
  runInLane(undefined, () => consume('first', 'gray'))
  consume('second', undefined)
  receive('blue')
  const found = spans().map(({ name, attributes }) => `${name} ${JSON.stringify(attributes)}`)
  t.strictSame(found, ['first {"laneway.lane":"gray","laneway.outcome":"base"}', 'second {"laneway.outcome":"base"}'])
})
