// Kafka by @platformatic/kafka as timelines and chaos drive it; the producer is that of kafkajs. SHOW_ERRORS=1 tells why streams end.
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneConsumer } from '@laneway/kafka'
import { eachInLane } from '@laneway/messaging'
import * as kafkajs from './kafka-system.mjs'
import { until } from './until.mjs'

export { BEGINS_BY_SENT_TIME, EVERY_MS, failsNow, runControl, start, WINDOW_MS } from './kafka-system.mjs'

const { Admin, Consumer, Producer, stringDeserializers } = await import(
  process.env.PLATFORMATIC_KAFKA ?? '@platformatic/kafka'
)

/** The message under way, and that of each other consumer whose partition moves: two of the lane and a stand-in, at most. */
export const IN_FLIGHT = 4

/** How long a program waits before it opens its stream again. */
const REOPEN_MS = 500

export async function openProducer(server, name, options) {
  const producer = await kafkajs.openProducer(server, name, options)
  return {
    ...producer,
    /** What a group skips behind the last message that it has committed stays uncommitted. */
    async leftovers() {
      const left = []
      for (const position of await producer.positions()) {
        const tail = await tagsSince(server, name, position)
        if (tail.some(tag => (tag === 'gray') === position.groupId.endsWith('_gray')))
          left.push(kafkajs.leftover(position))
      }
      return left
    },
  }
}

async function tagsSince(server, topic, { partition, offset, high }) {
  const groupId = `tail-${process.pid}-${topic}-${partition}-${offset}`
  const consumer = kafkajs.clientOf(server).consumer({ groupId })
  const tags = new Map()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message, partition: where }) => {
      if (where === partition) tags.set(message.offset, `${message.headers['x-mse-tag'] ?? ''}`)
    },
  })
  await until(() => tags.has(`${BigInt(high) - 1n}`))
  await consumer.disconnect()
  return [...tags].filter(([at]) => BigInt(at) >= BigInt(offset)).map(([, tag]) => tag)
}

/**
 * A consumer in a process of its own, which commits each message when it has handled it, and opens its stream again when it
 * ends. Resolves once it handles messages; in a lane, once it has handled one of its own.
 */
export async function openMember({ server, name, lane, control, handle }) {
  let consumer
  let underWay = Promise.resolve()
  let isOver = false
  let first
  const handled = new Promise(resolve => (first = resolve))
  const never = new Promise(() => {})

  async function handleAndCommit(message) {
    if (isOver) return never
    underWay = (async () => {
      await handle(message)
      await message.commit()
    })()
    await underWay
    first()
  }

  async function read(opened) {
    consumer = createLaneConsumer({
      platformatic: { Admin, Consumer, Producer },
      lanes: 'isolate',
      tag: lane,
      whenLaneMissing: control === 'waiting' ? 'fail' : 'base',
      groupId: name,
      clientId: `${lane}-${process.pid}`,
      bootstrapBrokers: [`${server.host}:${server.port}`],
      deserializers: stringDeserializers,
      autocommit: false,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      rebalanceTimeout: 10_000,
      maxWaitTime: 500,
    })
    consumer.on('error', error => report('consumer', error))
    const stream = await consumer.consume({ topics: [name], mode: 'committed', fallbackMode: 'earliest' })
    opened()
    await eachInLane(stream, handleAndCommit)
  }

  const report = (what, error) => {
    if (process.env.SHOW_ERRORS) console.error(`${lane}-${process.pid} ${what}: ${error?.stack ?? error}`)
  }

  async function readOn(opened) {
    while (!isOver) {
      await read(opened).catch(error => report('stream', error))
      if (isOver) return
      await consumer.close(true).catch(error => report('close', error))
      await sleep(REOPEN_MS)
    }
  }

  await new Promise(resolve => void readOn(resolve))
  if (lane !== 'base') await Promise.race([handled, sleep(8000)])
  return {
    async close() {
      isOver = true
      await underWay.catch(() => {})
      await consumer.close(true)
    },
  }
}

export const idOf = message => message.value
