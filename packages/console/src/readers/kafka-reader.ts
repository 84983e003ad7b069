import { type OptionTable, readOptions, text } from '@laneway/core/internal'
import { type KafkaAdmin, type KafkaClient, type Kafkajs, openKafka } from '../kafka/client.js'
import { type LaneOfGroup, laneGroups } from '../kafka/lane-groups.js'
import { LEDGER_TOPIC, type Ledger, readLedger } from '../kafka/read-ledger.js'
import type { Queue } from '../wire.js'
import type { MessageReader } from './reader.js'

/** Options of {@link kafkaReader}. */
export interface KafkaReaderOptions {
  /** Brokers `host:port`, separated by commas, or a file with the configuration of kafkajs. */
  kafka: string
  /** Its kafkajs is used. @default the folder of the process */
  folder?: string | undefined
}

const OPTIONS = {
  kafka: (value, place) => {
    if (typeof value !== 'string' || value === '') throw place.unexpected('brokers host:port, or a file', value)
    return value
  },
  folder: text(undefined),
} satisfies OptionTable<KafkaReaderOptions>

interface Connection {
  readonly client: KafkaClient
  readonly kafkajs: Kafkajs
  readonly admin: KafkaAdmin
}

/**
 * Reads the consumer groups that `@laneway/kafka` keeps lanes apart in: their members, what they have not read, and the ledger.
 * It joins no group of theirs, and commits nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function kafkaReader(options: KafkaReaderOptions): MessageReader {
  const { kafka, folder = process.cwd() } = readOptions('kafkaReader', options, OPTIONS)
  let open: Promise<Connection> | undefined
  let ledger: Ledger | undefined
  async function close(): Promise<void> {
    const was = open
    open = undefined
    await was?.then(({ admin }) => admin.disconnect()).catch(() => {})
  }
  return {
    name: `Kafka ${kafka}`,
    async read() {
      open ??= connect(kafka, folder)
      try {
        const { client, admin, kafkajs } = await open
        ledger = await readLedger(client, admin, ledger)
        if (ledger === undefined) return { queues: [] }
        const { rows, conflicts } = await laneGroups(ledger, admin, kafkajs)
        const { records, lastMs } = ledger
        return {
          queues: rows.map(queueOf),
          conflicts: [...ledger.conflicts, ...conflicts],
          ledger: { name: `ledger ${LEDGER_TOPIC}`, records, ...(lastMs !== undefined && { lastMs }) },
        }
      } catch (error) {
        // The next round connects anew.
        await close()
        throw error
      }
    },
    close,
  }
}

async function connect(kafka: string, folder: string): Promise<Connection> {
  const { client, kafkajs } = await openKafka(kafka, folder)
  const admin = client.admin()
  await admin.connect()
  return { client, kafkajs, admin }
}

function queueOf({ group, readers, lane, consumers, standIns, lag, state, sinceMs }: LaneOfGroup): Queue {
  const owner =
    consumers !== 0 ? lane : standIns > 0 ? 'base, as stand-in' : state === 'ended' && !(lag! > 0) ? 'base' : 'nobody'
  return {
    system: 'kafka',
    name: readers,
    group,
    lane,
    owner,
    consumers: consumers === undefined ? null : consumers + standIns,
    lag: lag ?? null,
    ...(state !== undefined && { state }),
    ...(sinceMs !== undefined && { sinceMs }),
  }
}
