import { randomUUID } from 'node:crypto'
import { LaneLedgerView, parseLedgerKey } from '@laneway/messaging/internal'
import type { KafkaAdmin, KafkaClient } from './client.js'

/** The topic of `@laneway/kafka`. */
export const LEDGER_TOPIC = 'laneway.lanes'

/** The ledger as it is now. */
export interface Ledger {
  /** The offset after its last record. */
  readonly end: string
  /** By group. */
  readonly views: ReadonlyMap<string, LaneLedgerView>
  readonly records: number
  /** When the broker stored the last record. */
  readonly lastMs: number | undefined
  /** What is wrong with the topic. */
  readonly conflicts: readonly string[]
}

/**
 * Reads the ledger to its end.
 *
 * @param before - what was read earlier: its records are not read again while no new one is there
 * @returns `undefined` where there is none
 */
export async function readLedger(client: KafkaClient, admin: KafkaAdmin, before?: Ledger): Promise<Ledger | undefined> {
  if (!(await admin.listTopics()).includes(LEDGER_TOPIC)) return undefined
  const [conflicts, [bounds]] = await Promise.all([conflictsOf(admin), admin.fetchTopicOffsets(LEDGER_TOPIC)])
  const end = bounds?.high ?? '0'
  if (before?.end === end) return { ...before, conflicts }
  const views = new Map<string, LaneLedgerView>()
  let [records, lastMs] = [0, undefined as number | undefined]
  if (BigInt(end) > BigInt(bounds?.low ?? 0)) {
    await readUntil(client, BigInt(end), (key, value, timestampMs) => {
      records++
      lastMs = timestampMs
      const group = parseLedgerKey(key)?.group
      if (group === undefined) return
      const view = views.get(group) ?? new LaneLedgerView(group)
      views.set(group, view)
      view.apply(key, value, timestampMs)
    })
  }
  return { end, views, records, lastMs, conflicts }
}

interface Message {
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
}

async function readUntil(
  client: KafkaClient,
  end: bigint,
  record: (key: string, value: string | null, timestampMs: number) => void,
): Promise<void> {
  // As the readers of @laneway/kafka are named: one rule for access serves both.
  const consumer = client.consumer({ groupId: `laneway.ledger.${randomUUID()}`, allowAutoTopicCreation: false })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: LEDGER_TOPIC, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachBatch = async ({ batch }: { batch: { messages: Message[]; lastOffset(): string } }) => {
        for (const { key, value, timestamp } of batch.messages)
          record(String(key), value === null ? null : value.toString(), Number(timestamp))
        if (BigInt(batch.lastOffset()) + 1n >= end) resolve()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}

async function conflictsOf(admin: KafkaAdmin): Promise<string[]> {
  const TOPIC = 2
  const query = { includeSynonyms: false, resources: [{ type: TOPIC, name: LEDGER_TOPIC }] }
  const { resources } = await admin.describeConfigs(query)
  const configs = new Map(
    resources.flatMap(({ configEntries }) => configEntries.map(one => [one.configName, one.configValue])),
  )
  return [
    ['cleanup.policy', 'compact'],
    ['message.timestamp.type', 'LogAppendTime'],
  ].flatMap(([name, wanted]) => {
    const value = configs.get(name!)
    return value === undefined || value === wanted
      ? []
      : [
          `topic ${LEDGER_TOPIC} has ${name}=${value}, expected ${wanted}: kafka-configs.sh --bootstrap-server BROKER ` +
            `--alter --topic ${LEDGER_TOPIC} --add-config ${name}=${wanted}`,
        ]
  })
}
