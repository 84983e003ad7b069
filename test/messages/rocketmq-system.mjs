// RocketMQ as timelines and chaos drive it; the ledger is in a Redis beside it.
import { createLaneConsumer, createRedisLedger } from '@laneway/rocketmq'
import { Redis } from 'ioredis'
import rocketmq from 'rocketmq-client-nodejs'
import { startRedis } from '../servers/redis/start.mjs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { staleDecision } from './stale-decision.mjs'

const { Producer, SimpleConsumer } = rocketmq
const logger = { debug() {}, info() {}, warn() {}, error() {} }

export const IN_FLIGHT = 10
/** It may stand in. */
export const IN_FLIGHT_OF_BASE = 2 * IN_FLIGHT
/** In milliseconds: base handles what was sent before the lane's cut, and that may still be on its way. */
export const WINDOW_MS = 1500
/** Base handles what was sent before the cut, however late. */
export const BEGINS_BY_SENT_TIME = true
/** What a dead consumer had taken comes again after ten seconds and a scan of the broker. */
export const QUIET_MS = 30_000
const INVISIBLE_MS = 10_000

/** Topics have to be there first. `url` is that of Redis. */
export async function start(settings) {
  const names = Array.from({ length: 30 }, (_, i) => [`rocketmq-${process.pid}-${i + 1}`, 'NORMAL'])
  const more = { orders: 'NORMAL', fuzz: 'NORMAL' }
  const [broker, redis] = await Promise.all([
    startRocketmq({ ...more, ...Object.fromEntries(names) }, {}, settings),
    startRedis({ durable: true }),
  ])
  return {
    ...broker,
    get pid() {
      return broker.pid
    },
    url: redis.url,
    ledgerPid: redis.pid,
    async stop() {
      await Promise.all([broker.stop(), redis.stop()])
    },
  }
}

const client = ({ host, port }) => ({ endpoints: `${host}:${port}`, namespace: '', requestTimeout: 5000, logger })

/** The producer writes MSE's property, and knows nothing of Laneway. */
export async function openProducer(server, name) {
  const producer = new Producer({ ...client(server), topics: [name], maxAttempts: 1 })
  await producer.startup()
  const sendOne = async ({ id, lane }) => {
    const list = JSON.stringify([{ name: lane, tag: lane, priority: -1 }])
    const properties = new Map(lane === '' ? [] : [['__microservice_tag__', list]])
    for (;;) {
      try {
        return await producer.send({ topic: name, body: Buffer.from(id), properties })
      } catch {
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    }
  }
  return {
    send: list => Promise.all(list.map(sendOne)),
    leftovers: async () => [],
    close: () => producer.shutdown(),
  }
}

/** Fails in one way: `stale` decides by its first view for ever, `polled` by who lives now, without the ledger. */
function withFault(ledger, name, control) {
  if (control === undefined) return ledger
  let first
  return {
    ...ledger,
    async look(group, afterId) {
      const said = await ledger.look(group, '0-0')
      if (control === 'stale') {
        first ??= { records: said.records, at: said.nowMs }
        return { ...said, records: afterId === '0-0' ? first.records : [] }
      }
      // A record for each change of who lives, from the beginning of time.
      const record = (lane, id, value) => ({
        id: `${id}-0`,
        key: `${group}/${name}/${lane}/${id}`,
        value,
        appendedMs: -60_000,
      })
      const lives = said.living.has('gray')
      if (lives === (first ?? false)) return { ...said, records: [] }
      first = lives
      const id = Number.parseInt(afterId, 10) + 1
      return { ...said, records: [record('gray', id, lives ? '{"start":{}}' : '{"end":true}')] }
    },
  }
}

/** The client alone: all members share one group. Messages are received, handled as many at a time, and acknowledged. */
async function openPlain({ server, name, handle }) {
  const options = { ...client(server), consumerGroup: 'plain', subscriptions: new Map([[name, '*']]) }
  const consumer = new SimpleConsumer({ ...options, awaitDuration: 1500 })
  await consumer.startup()
  const running = new Set()
  async function receive() {
    for (const message of await consumer.receive(32, INVISIBLE_MS)) {
      while (running.size >= IN_FLIGHT) await Promise.race(running)
      const one = handle(message)
        .then(() => consumer.ack(message))
        .catch(() => {})
        .finally(() => running.delete(one))
      running.add(one)
    }
  }
  const receiving = (async () => {
    for (;;) await receive().catch(() => {})
  })()
  return { close: () => receiving }
}

/** A consumer in a process of its own. Resolves once it handles messages. */
export async function openMember({ server, name, lane, control, handle }) {
  if (control === 'plain') return openPlain({ server, name, handle })
  const redis = new Redis(server.url, { maxRetriesPerRequest: null }).on('error', () => {})
  const consumer = createLaneConsumer({
    rocketmq,
    client: client(server),
    consumerGroup: 'g',
    subscriptions: new Map([[name, '*']]),
    lanes: 'isolate',
    ledger: withFault(createRedisLedger(redis), name, control),
    filter: 'sql',
    tag: lane,
    concurrency: IN_FLIGHT,
    invisibleMs: INVISIBLE_MS,
    onError: error => process.env.SHOW_ERRORS && console.error(error.message),
    handler: handle,
  })
  await consumer.ready()
  return { close: () => consumer.close() }
}

export const idOf = ({ body }) => `${body}`
export const failsNow = () => false

/** The broker keeps a record of each message that it has handed out, and no list of what is acknowledged. */
const BY_RECORD = { popConsumerKVServiceInit: true, popConsumerKVServiceEnable: true }

export async function runControl(system, server, { name, control }) {
  const options = { name, control, forMs: 9000, quietMs: QUIET_MS }
  if (control !== 'frozen-broker-by-record') return staleDecision(system, server, options)
  const own = await start(BY_RECORD)
  try {
    return await staleDecision(system, own, options)
  } finally {
    await own.stop()
  }
}
