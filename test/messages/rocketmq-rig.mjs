// What the tests of isolation share: a RocketMQ, a Redis with the ledger, a producer, and consumers that note what they handle.
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { createLaneConsumer, createRedisLedger, laneRocketmq } from '@laneway/rocketmq'
import { Redis } from 'ioredis'
import rocketmq from 'rocketmq-client-nodejs'
import { startRedis } from '../servers/redis/start.mjs'
import { startRocketmq } from '../servers/rocketmq/start.mjs'
import { until as untilWithin } from './until.mjs'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A request that finds nothing takes five seconds, and what was given back is delivered again after a scan. */
export const until = condition => untilWithin(condition, 240_000)

export const lane = () => currentLane()?.header ?? 'none'

/**
 * Starts it.
 *
 * @param normal - topics. A new group begins at the first message, so each test has a topic
 * @param topics - those of another kind, and `groups` with settings of their own, as `startRocketmq` takes them
 */
export async function startRig({ normal, topics = {}, groups }) {
  const all = { ...topics, ...Object.fromEntries(normal.map(name => [name, 'NORMAL'])) }
  const [broker, redisServer] = await Promise.all([startRocketmq(all, groups), startRedis()])
  const redis = new Redis(redisServer.port, redisServer.host, { maxRetriesPerRequest: null })
  const ledger = createRedisLedger(redis)
  const client = { endpoints: broker.address, namespace: '', requestTimeout: 10_000, logger }
  // With several topics the client does not start.
  const producer = laneRocketmq(new rocketmq.Producer({ ...client, topics: [normal[0]] }))
  await producer.startup()
  const open = []

  return {
    broker,
    redisServer,
    redis,
    ledger,
    client,
    send: (topic, tag, body, more) =>
      runInLane(tag, () => producer.send({ topic, body: Buffer.from(body ?? `of ${tag}`), ...more })),
    /** Made in a lane, as by a request that happens to be the first. */
    consuming(topic, side, seen, options = {}) {
      const consumer = runInLane('red', () =>
        createLaneConsumer({
          rocketmq,
          client,
          consumerGroup: `${topic}-g`,
          subscriptions: new Map([[topic, '*']]),
          lanes: 'isolate',
          ledger,
          tag: side,
          invisibleMs: 10_000,
          onError: error => process.env.SHOW_ERRORS && console.log(side, error.message),
          async handler(message) {
            await sleep(1)
            seen.push(`${message.body}:${side}:${lane()}`)
          },
          ...options,
        }),
      )
      open.push(consumer)
      return consumer
    },
    async stop() {
      await Promise.all(open.map(one => one.close()))
      await Promise.race([producer.shutdown(), sleep(3000)])
      redis.disconnect()
      await Promise.all([broker.stop(), redisServer.stop()])
    },
  }
}
