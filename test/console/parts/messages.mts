// The view Messages over a real Kafka, a real Redis with BullMQ and a stream, and the management API of a real RabbitMQ.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { laneAmqp } from '@laneway/amqp'
import { createLaneWorker } from '@laneway/bullmq'
import { kafkaReader, rabbitmqReader, redisReader, startConsole } from '@laneway/console'
import { createStaticSource } from '@laneway/discovery'
import { laneKafka } from '@laneway/kafka'
import { createLaneStreamConsumer } from '@laneway/redis-streams'
import t from 'tap'
// @ts-expect-error a script without types
import { findKafka, startKafka } from '../../servers/kafka/start.mjs'
// @ts-expect-error a script without types
import { findRabbitmq, startRabbitmq } from '../../servers/rabbitmq/start.mjs'
// @ts-expect-error a script without types
import { findRedis, startRedis } from '../../servers/redis/start.mjs'
import { assertAccessible, goTo, openPage, picture, until } from '../browser.mjs'

// The clients of brokers are those of the proof of messages.
const folder = fileURLToPath(new URL('../../messages/', import.meta.url))
const load = createRequire(`${folder}package.json`)
const problem = (await findKafka()) ?? findRedis() ?? findRabbitmq()

/** Rows of a broker's table: `queue lane state owner consumers waiting`. */
const ROWS =
  "[...document.querySelectorAll('.broker')].map(one => [one.querySelector('h2').textContent.split(' ')[0], ...[...one.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.firstElementChild?.textContent ?? cell.textContent).join(' | '))])"

t.test('real brokers: who owns the messages of a lane, and how many wait', { skip: problem ?? false }, async t => {
  const servers: any[] = await Promise.all([startKafka(), startRedis(), startRabbitmq({ management: true })])
  t.teardown(() => Promise.all(servers.map(server => server.stop())))
  const [kafka, redis, rabbit] = servers
  const ends: (() => unknown)[] = []
  t.teardown(async () => {
    for (const end of ends.reverse()) await Promise.resolve(end()).catch(() => {})
  })

  // Kafka: base and gray keep apart; a member that does not is a conflict.
  const { Kafka, logLevel } = load('kafkajs')
  const client = () => new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING })
  const consume = async (wrapped: any, options = {}) => {
    const consumer = wrapped.consumer({ groupId: 'orders', heartbeatInterval: 500, ...options })
    ends.push(() => consumer.disconnect())
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({ eachMessage: async () => {} })
    return consumer
  }
  const producer = client().producer()
  ends.push(() => producer.disconnect())
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
  await consume(laneKafka(client(), { tag: 'base' }), { lanes: 'isolate' })
  const gray = await consume(laneKafka(client(), { tag: 'gray' }), { lanes: 'isolate' })

  // BullMQ: base and gray.
  const { Queue, Worker } = load('bullmq')
  const connection = { host: redis.host, port: redis.port, maxRetriesPerRequest: null }
  for (const tag of ['base', 'gray']) {
    const worker: any = createLaneWorker('mail', async () => {}, {
      bullmq: { Queue, Worker },
      connection,
      lanes: 'isolate',
      tag,
      warn: () => {},
    } as never)
    worker.on('error', () => {})
    ends.push(() => worker.close(true))
    await worker.waitUntilReady()
  }

  // A stream: base and gray.
  const { Redis } = load('ioredis')
  const own = new Redis(redis.port)
  ends.push(() => own.disconnect())
  for (const tag of ['base', 'gray']) {
    const consumer = createLaneStreamConsumer({
      client: own,
      stream: 'events',
      group: 'billing',
      lanes: 'isolate',
      tag,
      assumeBase: true,
      handler: async () => {},
      onError: () => {},
    } as never) as any
    ends.push(() => consumer.close())
    await consumer.ready()
  }

  // RabbitMQ: base and gray.
  const amqp = load('amqplib')
  for (const tag of ['base', 'gray']) {
    const plain = await amqp.connect(rabbit.url)
    plain.on('error', () => {})
    ends.push(() => plain.close())
    const channel = await (laneAmqp(plain, { tag, warn: () => {} }) as any).createChannel()
    await channel.assertQueue('stock')
    await channel.consume('stock', () => {}, { lanes: 'isolate' })
  }

  const running = await startConsole({
    sources: [createStaticSource({})],
    messages: [
      kafkaReader({ kafka: kafka.address, folder }),
      redisReader({ url: redis.url, folder }),
      rabbitmqReader({ url: rabbit.managementUrl }),
    ],
  })
  t.teardown(() => running.close())
  const { page, problems } = await openPage(t)
  await goTo(page, running.url, 'messages', '.broker tbody')
  const shows = (broker: string, row: RegExp) =>
    until(
      page,
      `${ROWS}.some(([name, ...rows]) => name === '${broker}' && rows.some(row => ${row}.test(row)))`,
      150_000,
    )
  await shows('Kafka', /^orders \| base \| .*\| base \| 1 \| 0$/)
  await shows('Kafka', /^orders_gray \| gray \|.*\| gray \| 1 \|/)
  await shows('Redis', /^mail \| base \|.*\| base \| - \| 0$/)
  await shows('Redis', /^mail_gray \| gray \|.*\| gray \| 1 \| 0$/)
  await shows('Redis', /^events, billing \| base \|.*\| base \| 1 \| 0$/)
  await shows('Redis', /^events, billing_gray \| gray \|.*\| gray \| 1 \| 0$/)
  await shows('RabbitMQ', /^stock \| base \| base \| 1 \| 0$/)
  await shows('RabbitMQ', /^stock_gray \| gray \| gray \| 1 \| 0$/)
  t.match(await page.textContent('main'), /ledger laneway\.lanes: 1 record/)
  t.pass('each broker says who owns what')

  await gray.disconnect()
  await shows('Kafka', /^orders_gray \| gray \|.*\| base, as stand-in \| 1 \|/)
  await consume(client())
  await until(page, "/do not keep lanes apart/.test(document.querySelector('.broker').textContent)")
  t.pass('a stand-in shows, and a member that keeps no lanes apart is a conflict')
  await assertAccessible(t, page, 'the messages')
  await picture(page, 'messages')

  // A Redis that hangs: it takes connections and answers nothing.
  const problemOfRedis = "document.querySelectorAll('.broker')[1].querySelector('.problem')"
  process.kill(redis.pid, 'SIGSTOP')
  try {
    await until(page, `${problemOfRedis} !== null`)
    t.match(await page.textContent('main'), /mail_gray/, 'what was read stays, beside the problem')
  } finally {
    process.kill(redis.pid, 'SIGCONT')
  }
  await until(page, `${problemOfRedis} === null`)
  t.pass('and the console reads on when Redis answers again')
  t.strictSame(problems, [])
})
