import { runInLane } from '@laneway/core'
import {
  connectionOf,
  type IoredisClient,
  isIoredis,
  type NodeRedisClient,
  type RedisClient,
  type RedisConnection,
} from '@laneway/messaging/internal'

interface Duplicate {
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Of node-redis. */
  connect?(): Promise<unknown>
  destroy?(): void
  /** Of ioredis. */
  disconnect?(): void
}

/** A connection of our own, for commands that block. */
export interface OwnConnection extends RedisConnection {
  /** Ends it at once. */
  end(): void
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
    const own: NodeRedisClient & Duplicate = client.duplicate()
    own.on('error', failed)
    await own.connect!()
    return { ...connectionOf(own), end: () => own.destroy!() }
  })
}
