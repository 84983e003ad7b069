import type { RedisConnection } from '@laneway/messaging/internal'
import type { Queue } from '../wire.js'
import { leasesOf } from './replies.js'

/** A queue of BullMQ whose workers keep lanes apart. */
export interface BullQueue {
  readonly prefix: string
  readonly name: string
}

/** Reads the key that names the lanes of a queue. */
export function bullQueueOf(key: string): BullQueue | undefined {
  const [, prefix, name] = /^(.+):laneway:([^:]+):known$/.exec(key) ?? []
  return prefix === undefined || name === undefined ? undefined : { prefix, name }
}

/** The queue and those of its lanes. */
export async function bullQueues(redis: RedisConnection, { prefix, name }: BullQueue): Promise<Queue[]> {
  const own = `${prefix}:laneway:${name}`
  const [known, living] = await Promise.all([
    redis.call('ZRANGE', `${own}:known`, 0, -1),
    leasesOf(redis, `${own}:leases`),
  ])
  const sides = ['base', ...(known as unknown[]).map(String)]
  return Promise.all(
    sides.map(async lane => {
      const isBase = lane === 'base'
      const queue = isBase ? name : `${name}_${lane}`
      const lag = await waitingIn(redis, `${prefix}:${queue}`)
      const consumers = isBase ? null : (living.get(lane) ?? 0)
      const owner = consumers === 0 ? 'base, while the lane has no consumer' : lane
      return { system: 'bullmq', name: queue, group: name, lane, owner, consumers, lag }
    }),
  )
}

/** Jobs that a worker could take now. */
async function waitingIn(redis: RedisConnection, queue: string): Promise<number> {
  const counts = await Promise.all([
    redis.call('LLEN', `${queue}:wait`),
    redis.call('LLEN', `${queue}:paused`),
    redis.call('ZCARD', `${queue}:prioritized`),
  ])
  return counts.reduce((sum: number, count) => sum + Number(count), 0)
}
