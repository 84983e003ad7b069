import { runInLane } from '@laneway/core'

/** What is needed of ioredis, structurally. */
export interface IoredisClient {
  call(command: string, ...args: any[]): Promise<any>
  duplicate(options?: any): any
}

/** What is needed of a client of node-redis, structurally. */
export interface NodeRedisClient {
  sendCommand(args: any[]): Promise<any>
  duplicate(options?: any): any
}

/** A client of ioredis 5 or of node-redis 5, connected. */
export type RedisClient = IoredisClient | NodeRedisClient

interface Duplicate {
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Of node-redis. */
  connect?(): Promise<unknown>
  destroy?(): void
  /** Of ioredis. */
  disconnect?(): void
}

/** A connection in the one form that this package uses. */
export interface Connection {
  call(...args: (string | number)[]): Promise<unknown>
}

/** A connection of our own, for commands that block. */
export interface OwnConnection extends Connection {
  /** Ends it at once. */
  end(): void
}

const isIoredis = (client: RedisClient): client is IoredisClient => typeof (client as IoredisClient).call === 'function'

/** Whether a value is a client that {@link connectionOf} can take. */
export function isRedisClient(client: unknown): client is RedisClient {
  const { call, sendCommand, duplicate } = Object(client)
  return typeof duplicate === 'function' && (typeof call === 'function' || typeof sendCommand === 'function')
}

export function connectionOf(client: RedisClient): Connection {
  return isIoredis(client)
    ? { call: (command, ...args) => client.call(String(command), ...args.map(String)) }
    : { call: (...args) => client.sendCommand(args.map(String)) }
}

/**
 * Opens a connection beside a client, with its settings. It reconnects by itself.
 *
 * @param failed - told why it is away
 */
export async function openBeside(client: RedisClient, failed: (error: Error) => void): Promise<OwnConnection> {
  // Its sockets and timers belong to no request.
  return runInLane(undefined, async () => {
    if (isIoredis(client)) {
      const own: IoredisClient & Duplicate = client.duplicate({ maxRetriesPerRequest: null })
      own.on('error', failed)
      return { ...connectionOf(own), end: () => own.disconnect!() }
    }
    // Version 2 of the protocol, so that replies have one form.
    const own: NodeRedisClient & Duplicate = client.duplicate({ RESP: 2 })
    own.on('error', failed)
    await own.connect!()
    return { ...connectionOf(own), end: () => own.destroy!() }
  })
}
