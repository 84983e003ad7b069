// Lanes in rabbitmq-client on a real RabbitMQ.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { laneRabbit } from '@laneway/amqp'
import { currentLane, runInLane } from '@laneway/core'
import { messageLane } from '@laneway/messaging'
import { Connection } from 'rabbitmq-client'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { until } from './until.mjs'

let rabbit
let connection
const lane = () => currentLane()?.header ?? 'none'

before(async () => {
  rabbit = await startRabbitmq()
  connection = laneRabbit(new Connection(rabbit.url), {})
  connection.on('error', () => {})
})
after(async () => {
  await Promise.race([connection.close(), sleep(1000)])
  await rabbit.stop()
})

test('publishers, channels and RPC carry the lane of the call; consumers handle each message in its lane', async () => {
  const seen = []
  const consumer = runInLane('blue', () =>
    connection.createConsumer(
      { queue: 'q', queueOptions: { durable: false }, qos: { prefetchCount: 20 } },
      async message => {
        await sleep(1)
        seen.push(`${message.body}:${lane()}:${messageLane(message)?.header}`)
      },
    ),
  )
  consumer.on('error', () => {})
  await until(() => consumer.stats?.initialMessageCount !== undefined || consumer._readyState === 1)
  const publisher = connection.createPublisher({ confirm: true })
  // None of these has a channel yet: they wait for one together.
  await Promise.all(
    [undefined, 'gray', 'red'].map((tag, i) =>
      runInLane(tag, () => publisher.send(i % 2 ? 'q' : { routingKey: 'q' }, `${i}`)),
    ),
  )
  const set = (content, header) =>
    runInLane('gray', () => publisher.send({ routingKey: 'q', headers: { 'x-mse-tag': header } }, content))
  await set('own', 'green')
  await set('bad', '-')
  await publisher.send({ routingKey: 'q', headers: { 'x-mse-tag': '-' } }, 'bad outside')
  const channel = await connection.acquire()
  await runInLane('gray', () => channel.basicPublish('q', 'channel'))
  await until(() => seen.length === 7)
  assert.deepEqual(seen.sort(), [
    '0:none:undefined',
    '1:gray:gray',
    '2:red:red',
    'bad outside:none:undefined',
    'bad:gray:gray',
    'channel:gray:gray',
    'own:green:green',
  ])
  await channel.close()
  await publisher.close()
  await consumer.close()
})

test('a reply reaches who asked, whatever the lanes', async () => {
  const server = connection.createConsumer(
    { queue: 'rpc', queueOptions: { durable: false } },
    async (_message, reply) => {
      await reply(lane())
    },
  )
  const client = connection.createRPCClient({ confirm: true })
  await until(() => server._readyState === 1)
  const ask = tag => runInLane(tag, async () => `${(await client.send('rpc', 'x')).body} in ${lane()}`)
  assert.deepEqual(await Promise.all([undefined, 'gray', 'blue'].map(ask)), [
    'none in none',
    'gray in gray',
    'blue in blue',
  ])
  await client.close()
  await server.close()
})

test('a foreign value that is no lane is removed; isolation is refused', async () => {
  const seen = []
  const consumer = connection.createConsumer(
    { queue: 'f', queueOptions: { durable: false } },
    async ({ body, headers }) => {
      seen.push(`${body}:${lane()}:${headers?.['x-mse-tag']}`)
    },
  )
  await until(() => consumer._readyState === 1)
  const plain = new Connection(rabbit.url)
  const publisher = plain.createPublisher()
  for (const [i, value] of ['-', '', 42, ['gray', 'blue']].entries()) {
    await publisher.send({ routingKey: 'f', headers: { 'x-mse-tag': value } }, `${i}`)
  }
  await until(() => seen.length === 4)
  for (const one of seen) assert.match(one, /:none:undefined$/)
  assert.throws(() => connection.createConsumer({ queue: 'f', lanes: 'isolate' }, () => {}), {
    code: 'LANEWAY_INVALID_OPTION',
  })
  await consumer.close()
  await publisher.close()
  await plain.close()
})
