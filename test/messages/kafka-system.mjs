// Kafka by kafkajs as timelines and chaos drive it.
import { setTimeout as sleep } from 'node:timers/promises'
import { laneKafka } from '@laneway/kafka'
import { LaneLedgerView } from '@laneway/messaging/internal'
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../servers/kafka/start.mjs'
import { runKafkaControl } from './kafka-controls.mjs'
import { makeTopic } from './make-topic.mjs'
import { until } from './until.mjs'

/** A commit for each message would be most of the work. */
const COMMIT_EVERY = 5
/**
 * What a consumer has handled and not committed, and the message under way: a member that wakes asks its group before the
 * next one. An instance of base is two consumers, as it may stand in.
 */
export const IN_FLIGHT = 2 * (COMMIT_EVERY + 1)
/** A consumer of the lane handles its first message when no stand-in has a partition any more. */
export const WINDOW_MS = 0
/** Base handles what was sent before the lane began, however late. */
export const BEGINS_BY_SENT_TIME = true
/** Between batches: three consumers read each message. */
export const EVERY_MS = 100

export const start = () => startKafka()

export const clientOf = ({ host, port }, more = {}) =>
  new Kafka({
    brokers: [`${host}:${port}`],
    logLevel: process.env.SHOW_ERRORS ? logLevel.WARN : logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 },
    ...more,
  })

/** The producer, which knows nothing of Laneway. */
export async function openProducer(server, name, { partitions = 3, skewMs = () => 0 } = {}) {
  const kafka = clientOf(server)
  const admin = kafka.admin()
  await admin.connect()
  await makeTopic(admin, name, { numPartitions: partitions })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messageOf = ({ id, lane }) => ({
    key: `k${Number(id.slice(1)) % 50}`,
    value: id,
    timestamp: `${Date.now() + skewMs()}`,
    headers: lane === '' ? {} : { 'x-mse-tag': lane },
  })
  return {
    admin,
    send: list => producer.send({ topic: name, messages: list.map(messageOf) }),
    /** Waits until a consumer of the lane has partitions. */
    untilLaneReads: () =>
      until(async () => {
        const { groups } = await admin.describeGroups([`${name}_gray`]).catch(() => ({ groups: [] }))
        return groups[0]?.state === 'Stable' && groups[0].members.some(hasPartitions)
      }, 60_000),
    /** Where the groups stand that have not committed to the end. */
    async positions() {
      const behind = []
      const ends = await admin.fetchTopicOffsets(name)
      for (const groupId of [name, `${name}_gray`]) {
        const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [name] })
        for (const { partition, offset } of partitions) {
          const { high } = ends.find(one => one.partition === partition)
          if (offset !== high) behind.push({ groupId, partition, offset, high })
        }
      }
      return behind
    },
    async leftovers() {
      return (await this.positions()).map(leftover)
    },
    async close() {
      await producer.disconnect()
      await admin.disconnect()
    },
  }
}

/** What a group has not read to the end. */
export const leftover = ({ groupId, partition, offset, high }) => `${groupId}/${partition} ${offset} of ${high}`

function hasPartitions({ clientId, memberAssignment }) {
  const { assignment = {} } = AssignerProtocol.MemberAssignment.decode(memberAssignment) ?? {}
  return clientId.startsWith('gray') && Object.values(assignment).flat().length > 0
}

/** Without the ledger: base asks who lives, and the lane begins at the end of the log. */
async function openPolling(kafka, { name, lane, handle }) {
  const admin = kafka.admin()
  await admin.connect()
  let lives = false
  const look = async () => {
    const { groups } = await admin.describeGroups([`${name}_gray`]).catch(() => ({ groups: [] }))
    lives = groups[0]?.members.length > 0
  }
  const looking = setInterval(look, 2000)
  await look()
  const groupId = lane === 'base' ? name : `${name}_${lane}`
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: lane === 'base' })
  const tagOf = ({ headers }) => `${headers['x-mse-tag'] ?? ''}`
  const eachMessage = async ({ message }) => {
    const isGray = tagOf(message) === 'gray'
    if (lane === 'base' ? !(isGray && lives) : isGray) await handle(message)
  }
  await consumer.run({ autoCommitThreshold: COMMIT_EVERY, eachMessage })
  return {
    async close() {
      clearInterval(looking)
      await consumer.disconnect()
    },
  }
}

/** This member hears of announcements late, and decides as if it knew. */
function decideByStaleView() {
  const { apply } = LaneLedgerView.prototype
  LaneLedgerView.prototype.apply = function (...record) {
    setTimeout(() => apply.call(this, ...record), 15_000)
    return false
  }
  LaneLedgerView.prototype.canDecide = () => true
}

/** A consumer in a process of its own. Resolves once it handles messages; in a lane, once it has handled one of its own. */
export async function openMember({ server, name, lane, control, handle }) {
  const plain = clientOf(server, { clientId: `${lane}-${process.pid}` })
  if (control === 'polling') return openPolling(plain, { name, lane, handle })
  if (control === 'stale-view') decideByStaleView()
  const kafka = laneKafka(plain, { tag: lane })
  const consumer = kafka.consumer({
    groupId: name,
    lanes: 'isolate',
    whenLaneMissing: control === 'waiting' ? 'fail' : 'base',
    sessionTimeout: 6000,
    heartbeatInterval: 500,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: 500,
  })
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: true })
  let first
  const handled = new Promise(resolve => (first = resolve))
  const eachMessage = async ({ message }) => {
    await handle(message)
    first()
  }
  await consumer.run({ autoCommitThreshold: COMMIT_EVERY, eachMessage })
  if (lane !== 'base') await Promise.race([handled, sleep(8000)])
  return { close: () => consumer.disconnect() }
}

export const idOf = message => `${message.value}`
export const failsNow = () => false

export const runControl = runKafkaControl
