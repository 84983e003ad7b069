import { fileURLToPath } from 'node:url'
import type { Registry } from './registry.js'

/** The brokers that `--queue` can start. */
export const BROKERS = ['amqp', 'bullmq'] as const
export type BrokerName = (typeof BROKERS)[number]

interface Server {
  readonly url: string
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
 * @throws Error where it cannot be had: it is a package of Debian
 */
export async function withBroker(registry: Registry, queue: BrokerName, management: boolean): Promise<Registry> {
  const name = queue === 'amqp' ? 'rabbitmq' : 'redis'
  const { installLocked } = await import(`${SERVERS}/../ecosystem/install.mjs`)
  const broker = await import(`${SERVERS}/${name}/start.mjs`)
  const problem: string | undefined = queue === 'amqp' ? broker.findRabbitmq() : broker.findRedis()
  if (problem !== undefined) throw new Error(`no broker for --queue ${queue}: ${problem}`)
  await installLocked(CLIENTS)
  const server: Server = await (queue === 'amqp' ? broker.startRabbitmq({ management }) : broker.startRedis())
  const environment = {
    QUEUE: queue,
    QUEUE_URL: server.url,
    QUEUE_CLIENTS: `${CLIENTS}package.json`,
    ...(server.managementUrl !== undefined && { QUEUE_MANAGEMENT: server.managementUrl }),
  }
  return {
    ...registry,
    name: `a real ${queue === 'amqp' ? 'RabbitMQ' : 'Redis'} for orders (${server.url}); ${registry.name}`,
    environment: () => ({ ...registry.environment(), ...environment }),
    async close() {
      await registry.close()
      await server.stop()
    },
  }
}
