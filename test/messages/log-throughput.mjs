// How fast a consumer of base handles a log, and passes over one that is entirely a lane's, beside a plain client.
//   node --import tsx --conditions=@laneway/source test/messages/log-throughput.mjs redis-streams|rocketmq [rounds] [messages]
// The messages are there before the consumers. A plain client of Redis acknowledges what it has read at once, one of
// RocketMQ each message. Rounds alternate; medians and extremes are printed. The machine should have nothing else to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { messages as channel } from '@laneway/messaging'
import { createLaneStreamConsumer } from '@laneway/redis-streams'
import { announceLane, createLaneConsumer, createRedisLedger } from '@laneway/rocketmq'
import { Redis } from 'ioredis'
import rocketmq from 'rocketmq-client-nodejs'
import { startRedis } from '../servers/redis/start.mjs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'

const BATCH = 32
const [system = 'redis-streams', rounds = '5', messages = system === 'rocketmq' ? '3000' : '50000'] =
  process.argv.slice(2)
const total = Number(messages)

/** `{ announce(groups), fill(log, tag), plain(log, group, handle), base(log, group, handle), close() }`; logs are `all` and `none`. */
async function redisStreams() {
  const server = await startRedis()
  const client = new Redis(server.port)
  const options = group => ({ client, group, startId: '0', lanes: 'isolate', concurrency: BATCH })
  return {
    async announce(groups) {
      for (const group of groups) {
        const more = { stream: 'all', tag: 'gray', assumeBase: true, handler() {} }
        const lane = createLaneStreamConsumer({ ...options(group), ...more })
        await lane.ready()
        await lane.close()
      }
    },
    async fill(stream, tag) {
      const fields = ['body', 'x'.repeat(100), ...(tag === undefined ? [] : ['x-mse-tag', tag])]
      for (let i = 0; i < total; i += 1000) {
        const batch = client.pipeline()
        for (let n = 0; n < 1000; n++) batch.xadd(stream, '*', ...fields)
        await batch.exec()
      }
      if (tag !== undefined) await client.xadd(stream, '*', 'body', 'last')
    },
    /** Base has passed over the others when it handles the last. */
    countsPassed: false,
    async plain(stream, group, handle) {
      const own = client.duplicate()
      await own.xgroup('CREATE', stream, group, '0')
      let on = true
      const reading = (async () => {
        const read = ['GROUP', group, 'me', 'COUNT', BATCH, 'BLOCK', 100, 'STREAMS', stream, '>']
        while (on) {
          const reply = await own.xreadgroup(...read)
          if (reply === null) continue
          const [[, entries]] = reply
          await Promise.all(entries.map(handle))
          await own.xack(stream, group, ...entries.map(([id]) => id))
        }
      })()
      return async () => {
        on = false
        await reading
        own.disconnect()
      }
    },
    async base(stream, group, handler) {
      const more = { stream, tag: 'base', whenLaneMissing: 'fail', handler }
      const consumer = createLaneStreamConsumer({ ...options(group), ...more })
      await consumer.ready()
      return () => consumer.close()
    },
    async close() {
      client.disconnect()
      await server.stop()
    },
  }
}

async function rocketmqTopics() {
  const [broker, redisServer] = await Promise.all([startRocketmq({ all: 'NORMAL', none: 'NORMAL' }), startRedis()])
  const redis = new Redis(redisServer.port)
  const ledger = createRedisLedger(redis)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const client = { endpoints: broker.address, namespace: '', requestTimeout: 10_000, logger }
  return {
    countsPassed: true,
    async announce(groups) {
      for (const group of groups) await announceLane(ledger, { group, topics: ['all'], lane: 'gray' })
      await sleep(6500)
    },
    async fill(topic, tag) {
      const producer = new rocketmq.Producer({ ...client, topics: [topic] })
      await producer.startup()
      const list = JSON.stringify([{ name: tag, tag, priority: -1 }])
      const properties = new Map(tag === undefined ? [] : [['__microservice_tag__', list]])
      const body = Buffer.alloc(100, 'x')
      for (let i = 0; i < total; i += 50)
        await Promise.all(Array.from({ length: 50 }, () => producer.send({ topic, body, properties })))
      await producer.shutdown()
    },
    async plain(topic, consumerGroup, handle) {
      const subscriptions = new Map([[topic, '*']])
      const options = { ...client, consumerGroup, subscriptions, awaitDuration: 1500 }
      const consumer = new rocketmq.SimpleConsumer(options)
      await consumer.startup()
      let on = true
      const reading = (async () => {
        while (on) {
          const one = async message => {
            await handle(message)
            await consumer.ack(message)
          }
          await Promise.all((await consumer.receive(BATCH, 15_000)).map(one))
        }
      })()
      return async () => {
        on = false
        await reading
        await consumer.shutdown()
      }
    },
    async base(topic, consumerGroup, handler) {
      const subscriptions = new Map([[topic, '*']])
      const of = { rocketmq, client, consumerGroup, subscriptions, ledger, concurrency: BATCH, handler }
      const consumer = createLaneConsumer({ ...of, lanes: 'isolate', tag: 'base', whenLaneMissing: 'fail' })
      return () => consumer.close()
    },
    async close() {
      redis.disconnect()
      await Promise.all([broker.stop(), redisServer.stop()])
    },
  }
}

/** From the opening of the consumer, or the first message if that comes before, to the last. */
async function rateOf(open, log, group, most = total) {
  let [handled, passed, firstAt] = [0, 0, Number.POSITIVE_INFINITY]
  let over
  const done = new Promise(resolve => {
    over = resolve
  })
  const count = () => {
    if (firstAt === Number.POSITIVE_INFINITY) firstAt = performance.now()
    if (handled + passed === most) over()
  }
  const skipped = ({ outcome }) => {
    if (outcome !== 'skipped') return
    passed++
    count()
  }
  if (countsPassed) channel.subscribe(skipped)
  const close = await open(log, group, async () => {
    handled++
    count()
  })
  const openedAt = performance.now()
  const before = process.cpuUsage()
  await done
  const rate = total / ((performance.now() - Math.min(openedAt, firstAt)) / 1000)
  const { user, system: ofKernel } = process.cpuUsage(before)
  const microseconds = (user + ofKernel) / total
  channel.unsubscribe(skipped)
  await close()
  return { rate, handled, microseconds }
}

const { announce, fill, plain, base, close, countsPassed } = await (system === 'rocketmq'
  ? rocketmqTopics()
  : redisStreams())
const numbers = [...Array(Number(rounds)).keys()]
await announce(numbers.map(round => `base-${round}`))
await fill('all', 'gray')
await fill('none', undefined)
const CASES = {
  'plain client': round => rateOf(plain, 'all', `plain-${round}`),
  'base, untagged': round => rateOf(base, 'none', `untagged-${round}`),
  async 'base, all of the lane'(round) {
    const result = await rateOf(base, 'all', `base-${round}`, countsPassed ? total : 1)
    if (result.handled > (countsPassed ? 0 : 1)) throw new Error(`base handled ${result.handled} messages of the lane`)
    return result
  },
}
const results = Object.fromEntries(Object.keys(CASES).map(name => [name, []]))
await rateOf(plain, 'none', 'warm-up')
await rateOf(base, 'none', 'warm-up-of-base')
for (const round of numbers) for (const [name, play] of Object.entries(CASES)) results[name].push(await play(round))
const spread = (list, value) => {
  const sorted = list.map(value).toSorted((a, b) => a - b)
  return { middle: sorted[sorted.length >> 1], low: sorted[0], high: sorted.at(-1) }
}
const ofPlain = spread(results['plain client'], ({ rate }) => rate).middle
for (const [name, list] of Object.entries(results)) {
  const { middle, low, high } = spread(list, ({ rate }) => rate)
  const cpu = spread(list, ({ microseconds }) => microseconds).middle.toFixed(1)
  console.log(
    `${system} ${name}: ${Math.round(middle)} a second (${Math.round(low)} to ${Math.round(high)}), ` +
      `${Math.round((middle / ofPlain) * 100)} %, ${cpu} µs of this process a message`,
  )
}
await close()
process.exit(0)
