// From the opening of a lane's consumer to its first message, and what base asks the broker meanwhile.
//   node --import tsx --conditions=@laneway/source test/messages/first-message.mjs bullmq|amqp|kafka|redis-streams|rocketmq [rounds]
// Messages of the lane come all the time. Prints the median and the maximum in milliseconds, and the requests of base a second.
import { setTimeout as sleep } from 'node:timers/promises'
import { laneAmqp } from '@laneway/amqp'
import { createLaneWorker } from '@laneway/bullmq'
import { laneKafka } from '@laneway/kafka'
import { createLaneStreamConsumer } from '@laneway/redis-streams'
import { createLaneConsumer, createRedisLedger } from '@laneway/rocketmq'
import amqp from 'amqplib'
import { Queue, Worker } from 'bullmq'
import Redis from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import rocketmq from 'rocketmq-client-nodejs'
import { startKafka } from '../servers/kafka/start.mjs'
import { startRabbitmq } from '../servers/rabbitmq/start.mjs'
import { startRedis } from '../servers/redis/start.mjs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { makeTopic } from './make-topic.mjs'

const [system, rounds = '10'] = process.argv.slice(2)

/** A queue with base that consumes it: `{ open(onFirst), send(), looks() }`; `looks` counts what base has asked so far. */
async function bullmq(server) {
  const connection = { host: server.host, port: server.port, maxRetriesPerRequest: null }
  const queue = new Queue('first', { connection })
  const worker = (tag, handle) =>
    createLaneWorker('first', async () => handle(), { bullmq: { Queue, Worker }, connection, lanes: 'isolate', tag })
  const base = worker('base', () => {})
  await base.waitUntilReady()
  const redis = new Redis(server.port, server.host)
  const monitor = await redis.monitor()
  let looks = 0
  monitor.on('monitor', (_time, [command, , keys]) => {
    // The command on the leases, with three keys and two values.
    if (/^evalsha?$/i.test(command) && keys === '3') looks++
  })
  return {
    async open(handle) {
      const gray = worker('gray', handle)
      gray.on('error', () => {})
      return () => gray.close()
    },
    send: () => queue.add('j', {}, { 'x-mse-tag': 'gray', removeOnComplete: true }),
    looks: () => looks,
    async close() {
      monitor.disconnect()
      redis.disconnect()
      await Promise.all([base, queue].map(one => one.close()))
    },
  }
}

async function rabbitmq(server) {
  const connections = []
  const consume = async (tag, handle) => {
    const connection = laneAmqp(await amqp.connect(server.url), { tag })
    connections.push(connection)
    const channel = await connection.createChannel()
    const on = message => {
      handle()
      channel.ack(message)
    }
    const { consumerTag } = await channel.consume('first', on, { lanes: 'isolate', laneTtlMs: 1000 })
    return async () => {
      await channel.cancel(consumerTag)
      await connection.close()
    }
  }
  const plain = await amqp.connect(server.url)
  const producer = await plain.createConfirmChannel()
  await producer.assertQueue('first')
  let looks = 0
  const { assertQueue } = Object.getPrototypeOf(producer)
  Object.getPrototypeOf(Object.getPrototypeOf(producer)).assertQueue = function (name, ...rest) {
    // A look declares the beacon, which an instance of the lane does once.
    if (name.endsWith('.live')) looks++
    return assertQueue.call(this, name, ...rest)
  }
  const end = await consume('base', () => {})
  return {
    open: handle => consume('gray', handle),
    send: () => producer.sendToQueue('first', Buffer.from('x'), { headers: { 'x-mse-tag': 'gray' } }),
    looks: () => looks,
    async close() {
      await end()
      await plain.close()
    },
  }
}

/** Each round has a lane of its own, which has to announce itself. */
async function kafka(server) {
  const clientOf = () => new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING })
  const admin = clientOf().admin()
  const producer = clientOf().producer()
  await Promise.all([admin.connect(), producer.connect()])
  await makeTopic(admin, 'first', { numPartitions: 1 })
  let looks = 0
  let lane = 1
  const consume = async (tag, handle) => {
    const client = clientOf()
    const { admin } = client
    client.admin = (...args) => {
      const made = admin.apply(client, args)
      for (const name of ['describeGroups', 'fetchTopicOffsets']) {
        const method = made[name]
        made[name] = (...args) => {
          if (tag === 'base') looks++
          return method(...args)
        }
      }
      return made
    }
    const options = { groupId: 'first', lanes: 'isolate', sessionTimeout: 6000, heartbeatInterval: 500 }
    const consumer = laneKafka(client, { tag }).consumer({ ...options, maxWaitTimeInMs: 500 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'first', fromBeginning: true })
    await consumer.run({ eachMessage: async () => handle() })
    return () => consumer.disconnect()
  }
  const end = await consume('base', () => {})
  return {
    open: handle => consume(`gray-${++lane}`, handle),
    send: () => producer.send({ topic: 'first', messages: [{ value: 'x', headers: { 'x-mse-tag': `gray-${lane}` } }] }),
    looks: () => looks,
    async close() {
      await end()
      await Promise.all([admin, producer].map(one => one.disconnect()))
    },
  }
}

/** A lane that returns. Base looks for each batch of entries with tags, too. */
async function redisStreams(server) {
  const client = new Redis(server.port, server.host)
  const consume = (tag, handler) => {
    const options = { client, stream: 'first', group: 'g', startId: '0', lanes: 'isolate', tag, handler }
    return createLaneStreamConsumer(options)
  }
  const base = consume('base', () => {})
  await base.ready()
  const monitor = await client.duplicate().monitor()
  let looks = 0
  monitor.on('monitor', (_time, [command, , keys, ...rest]) => {
    // The command with four keys and five values.
    if (/^evalsha?$/i.test(command) && keys === '4' && rest.length === 9) looks++
  })
  return {
    async open(handler) {
      const gray = consume('gray', handler)
      return () => gray.close()
    },
    send: () => client.xadd('first', '*', 'body', 'x', 'x-mse-tag', 'gray'),
    looks: () => looks,
    async close() {
      monitor.disconnect()
      await base.close()
      client.disconnect()
    },
  }
}

/** The first round announces the lane, in the others it returns: the maximum and the median. */
async function rocketmqTopic({ broker, redis: { port } }) {
  const redis = new Redis(port)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const client = { endpoints: broker.address, namespace: '', requestTimeout: 10_000, logger }
  const subscriptions = new Map([['first', '*']])
  let looks = 0
  const consume = (tag, handler) => {
    const ledger = createRedisLedger(redis)
    const counted = {
      ...ledger,
      look(...args) {
        if (tag === 'base') looks++
        return ledger.look(...args)
      },
    }
    const of = { rocketmq, client, consumerGroup: 'g', subscriptions, lanes: 'isolate', filter: 'sql' }
    return createLaneConsumer({ ...of, ledger: counted, tag, handler })
  }
  const base = consume('base', () => {})
  const producer = new rocketmq.Producer({ ...client, topics: ['first'] })
  await Promise.all([base.ready(), producer.startup()])
  const properties = new Map([['__microservice_tag__', '[{"name":"gray","tag":"gray","priority":-1}]']])
  return {
    async open(handler) {
      const gray = consume('gray', handler)
      return () => gray.close()
    },
    send: () => producer.send({ topic: 'first', body: Buffer.from('x'), properties }).catch(() => {}),
    looks: () => looks,
    async close() {
      await base.close()
      redis.disconnect()
    },
  }
}

async function startBroker() {
  const [broker, redis] = await Promise.all([startRocketmq({ first: 'NORMAL' }), startRedis()])
  return { broker, redis, stop: () => Promise.all([broker.stop(), redis.stop()]) }
}

const SYSTEMS = { amqp: [startRabbitmq, rabbitmq], bullmq: [startRedis, bullmq], kafka: [startKafka, kafka] }
SYSTEMS['redis-streams'] = [startRedis, redisStreams]
SYSTEMS.rocketmq = [startBroker, rocketmqTopic]
const [start, play] = SYSTEMS[system] ?? SYSTEMS.bullmq
const server = await start()
const { open, send, looks, close } = await play(server)
const sending = setInterval(() => void send(), 10)
await sleep(1000)
const before = looks()
const began = performance.now()
await sleep(10_000)
const perSecond = (looks() - before) / ((performance.now() - began) / 1000)
const times = []
for (let i = 0; i < Number(rounds); i++) {
  const opened = performance.now()
  let first
  const came = new Promise(resolve => {
    first = resolve
  })
  const end = await open(() => first(performance.now() - opened))
  times.push(await came)
  await end()
  await sleep(1500)
}
clearInterval(sending)
times.sort((a, b) => a - b)
console.log(
  `${system}: first message p50 ${Math.round(times[times.length >> 1])} ms, max ${Math.round(times.at(-1))} ms`,
)
console.log(`${system}: ${perSecond.toFixed(2)} looks a second`)
await close()
await server.stop()
process.exit(0)
