import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Registry } from './registry.js'

/** The brokers that `--queue` can start: where the server is, what it is called, and what its address is named. */
const SERVERS_OF = {
  amqp: { folder: 'rabbitmq', find: 'findRabbitmq', start: 'startRabbitmq', label: 'RabbitMQ' },
  bullmq: { folder: 'redis', find: 'findRedis', start: 'startRedis', label: 'Redis' },
  kafka: { folder: 'kafka', find: 'findKafka', start: 'startKafka', label: 'Kafka' },
} as const
export type BrokerName = keyof typeof SERVERS_OF
export const BROKERS = Object.keys(SERVERS_OF) as BrokerName[]

interface Server {
  readonly url?: string
  readonly address?: string
  /** Of RabbitMQ, for the console. */
  readonly managementUrl?: string
  stop(): Promise<void>
}

const SERVERS = fileURLToPath(new URL('../../../test/servers', import.meta.url))
/** Where this repository keeps the clients of brokers. */
const CLIENTS = fileURLToPath(new URL('../../../test/messages/', import.meta.url))

/**
 * Starts a real broker, and gives its address to the services together with that of the registry.
 *
 * @param management - with the API that the console reads, where the broker has one
 * @throws Error where it cannot be had: RabbitMQ and Redis are packages of Debian, Kafka needs Java and Maven
 */
export async function withBroker(registry: Registry, queue: BrokerName, management: boolean): Promise<Registry> {
  const { folder, find, start, label } = SERVERS_OF[queue]
  const { installLocked } = await import(`${SERVERS}/../ecosystem/install.mjs`)
  const broker = await import(`${SERVERS}/${folder}/start.mjs`)
  const problem: string | undefined = await broker[find]()
  if (problem !== undefined) throw new Error(`no broker for --queue ${queue}: ${problem}`)
  await installLocked(CLIENTS)
  const server: Server = await broker[start]({ management })
  const url = server.url ?? server.address ?? ''
  if (queue === 'kafka') await createTopics(url)
  const environment = {
    QUEUE: queue,
    QUEUE_URL: url,
    QUEUE_CLIENTS: `${CLIENTS}package.json`,
    ...(server.managementUrl !== undefined && { QUEUE_MANAGEMENT: server.managementUrl }),
  }
  return {
    ...registry,
    name: `a real ${label} for orders (${url}); ${registry.name}`,
    environment: () => ({ ...registry.environment(), ...environment }),
    async close() {
      await registry.close()
      await server.stop()
    },
  }
}

/** By default a topic has one partition, and so one consumer at a time. */
async function createTopics(address: string): Promise<void> {
  const { Kafka, logLevel } = createRequire(`${CLIENTS}package.json`)('kafkajs')
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const topics = ['orders', 'shipping'].map(topic => ({ topic, numPartitions: 6 }))
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
}
