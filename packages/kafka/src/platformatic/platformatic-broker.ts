import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isThereSoon, LEDGER_CONFIG, LEDGER_TOPIC } from '../isolation/ledger-topic.js'
import { type GroupLook, type LedgerListener, type LogBroker, placeOf } from '../isolation/log-broker.js'
import { useAppendTimes } from './append-times.js'
import type { PlatformaticClasses, PlatformaticConsumer } from './classes.js'

const SETTLED = ['STABLE', 'EMPTY', 'DEAD']
const EARLIEST = -2n
const LATEST = -1n
const REOPEN_MS = 500

/**
 * What isolation asks of Kafka, by `@platformatic/kafka`.
 *
 * @param options - where the brokers are and how to reach them
 */
export function connectPlatformatic(
  { Admin, Consumer, Producer }: PlatformaticClasses,
  options: Record<string, unknown>,
): LogBroker {
  const admin = new Admin(options)

  async function partitionsOf(topics: readonly string[]): Promise<{ name: string; partitions: number[] }[]> {
    const metadata = await admin.metadata({ topics: [...topics] })
    return topics.map(name => {
      const { partitionsCount = 0 } = metadata.topics.get(name) ?? {}
      return { name, partitions: Array.from({ length: partitionsCount }, (_, index) => index) }
    })
  }

  async function offsetsAt(topics: { name: string; partitions: number[] }[], timestamp: bigint) {
    const asked = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(partitionIndex => ({ partitionIndex, timestamp })),
    }))
    const offsets = new Map<string, string>()
    for (const { name, partitions } of await admin.listOffsets({ topics: asked })) {
      for (const { partitionIndex, offset } of partitions) offsets.set(placeOf(name, partitionIndex), `${offset}`)
    }
    return offsets
  }

  return {
    async groups(names) {
      const looks = [...(await admin.describeGroups({ groups: [...names] }))].map(
        ([name, { state, members }]): [string, GroupLook] => [
          name,
          {
            // Version 1 gives the states in capitals.
            settled: SETTLED.includes(state.toUpperCase()),
            members: [...members.values()].map(({ metadata }) => String(metadata?.metadata ?? '')),
          },
        ],
      )
      return new Map(looks)
    },

    async hidesMembers(group) {
      const { groupType, state = 'EMPTY' } = (await admin.listGroups({ types: ['consumer'] })).get(group) ?? {}
      return groupType?.toLowerCase() === 'consumer' && !['EMPTY', 'DEAD'].includes(state.toUpperCase())
    },

    async committed(group, topics) {
      const asked = (await partitionsOf(topics)).map(({ name, partitions }) => ({ name, partitionIndexes: partitions }))
      const offsets = new Map<string, string>()
      const groups = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: asked }] })
      for (const { name, partitions } of groups.flatMap(({ topics }) => topics)) {
        for (const { partitionIndex, committedOffset } of partitions) {
          if (committedOffset >= 0n) offsets.set(placeOf(name, partitionIndex), `${committedOffset}`)
        }
      }
      return offsets
    },

    topics: () => admin.listTopics(),

    async bounds(topics) {
      const asked = await partitionsOf(topics)
      const [low, high] = await Promise.all([offsetsAt(asked, EARLIEST), offsetsAt(asked, LATEST)])
      return new Map([...high].map(([place, offset]) => [place, { low: low.get(place) ?? offset, high: offset }]))
    },

    async createLedger() {
      if ((await admin.listTopics()).includes(LEDGER_TOPIC)) return
      const configs = Object.entries(LEDGER_CONFIG).map(([name, value]) => ({ name, value }))
      const refusal = await admin.createTopics({ topics: [LEDGER_TOPIC], partitions: 1, configs }).then(
        () => undefined,
        (error: unknown) => error,
      )
      // Another instance may have been first.
      if (!(await isThereSoon(() => admin.listTopics())) && refusal !== undefined) throw refusal
    },

    async append(key, value) {
      // A client that retries without idempotence may write a key twice.
      const producer = new Producer({ ...options, idempotent: true })
      try {
        const message = {
          topic: LEDGER_TOPIC,
          key: Buffer.from(key),
          value: value === null ? null : Buffer.from(value),
        }
        await producer.send({ messages: [message], acks: -1 })
      } finally {
        await producer.close()
      }
    },

    readLedger: listener =>
      readLedger(() => new Consumer({ ...options, groupId: `laneway.ledger.${randomUUID()}` }), listener),

    close: () => admin.close(),
  }
}

/** A stream of this client ends with the first error that it cannot get over: another one reads again. */
async function readLedger(open: () => PlatformaticConsumer, listener: LedgerListener): Promise<() => Promise<void>> {
  let isClosed = false
  let consumer: PlatformaticConsumer | undefined

  async function begin(): Promise<void> {
    consumer = open()
    useAppendTimes(consumer)
    consumer.on('error', () => {})
    const stream = await consumer.consume({
      topics: [LEDGER_TOPIC],
      mode: 'earliest',
      autocommit: false,
      maxWaitTime: 500,
      sessionTimeout: 10_000,
    })
    stream.on('data', ({ offset, key, value, timestamp }) => {
      listener.record(offset, String(key), value ? String(value) : null, Number(timestamp))
    })
    stream.once('error', () => {})
    stream.once('close', () => void again())
  }

  async function again(): Promise<void> {
    while (!isClosed) {
      await consumer?.close(true).catch(() => {})
      await sleep(REOPEN_MS)
      if (isClosed) return
      const isOpen = await begin().then(
        () => true,
        () => false,
      )
      if (isOpen) return
    }
  }

  await begin()
  return async () => {
    isClosed = true
    await consumer?.close(true).catch(() => {})
  }
}
