import { randomUUID } from 'node:crypto'
import { isThereSoon, LEDGER_CONFIG, LEDGER_TOPIC } from '../isolation/ledger-topic.js'
import { type GroupLook, type LogBroker, placeOf } from '../isolation/log-broker.js'
import type { KafkajsClient, KafkajsMessage } from '../kafka.js'
import { decodeMetadata } from './member-metadata.js'

const SETTLED = ['Stable', 'Empty', 'Dead']

/** What isolation asks of Kafka, by kafkajs. */
export async function connectKafkajs(client: KafkajsClient): Promise<LogBroker> {
  const admin = client.admin()
  await admin.connect()
  return {
    async groups(names) {
      const { groups } = await admin.describeGroups(names)
      const looks = groups.map(({ groupId, state, members }): [string, GroupLook] => [
        groupId,
        {
          settled: SETTLED.includes(state),
          members: members.map(({ memberMetadata }) => decodeMetadata(memberMetadata).userData.toString()),
        },
      ])
      return new Map(looks)
    },

    async hidesMembers(group) {
      // The broker lists a group of KIP-848, and describes it to this client as if it were not there.
      const [described, listed] = await Promise.all([admin.describeGroups([group]), admin.listGroups()])
      return described.groups[0]?.state === 'Dead' && listed.groups.some(({ groupId }) => groupId === group)
    },

    async committed(group, topics) {
      const offsets = new Map<string, string>()
      if (topics.length === 0) return offsets
      for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group, topics })) {
        for (const { partition, offset } of partitions) {
          if (Number(offset) >= 0) offsets.set(placeOf(topic, partition), offset)
        }
      }
      return offsets
    },

    topics: () => admin.listTopics(),

    async bounds(topics) {
      const bounds = new Map<string, { low: string; high: string }>()
      for (const topic of topics) {
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          bounds.set(placeOf(topic, partition), { low, high })
        }
      }
      return bounds
    },

    async createLedger() {
      if ((await admin.listTopics()).includes(LEDGER_TOPIC)) return
      const configEntries = Object.entries(LEDGER_CONFIG).map(([name, value]) => ({ name, value }))
      // Its wait for leaders ends with an error where the broker does not know the new topic yet.
      const topics = [{ topic: LEDGER_TOPIC, numPartitions: 1, configEntries }]
      await admin.createTopics({ topics, waitForLeaders: false })
      await isThereSoon(() => admin.listTopics())
    },

    async append(key, value) {
      // A client that retries without idempotence may write a key twice.
      const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      try {
        await producer.send({ topic: LEDGER_TOPIC, acks: -1, messages: [{ key, value }] })
      } finally {
        await producer.disconnect()
      }
    },

    async readLedger(listener) {
      // Of this reader alone: every member reads everything.
      const consumer = client.consumer({ groupId: `laneway.ledger.${randomUUID()}`, retry: { retries: 1000 } })
      await consumer.connect()
      await consumer.subscribe({ topic: LEDGER_TOPIC, fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ message }: { message: KafkajsMessage }) => {
          const { offset, key, value, timestamp } = message
          listener.record(BigInt(offset), String(key), value === null ? null : value.toString(), Number(timestamp))
        },
      })
      return () => consumer.disconnect()
    },

    close: () => admin.disconnect(),
  }
}
