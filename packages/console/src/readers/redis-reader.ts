import { type OptionTable, readOptions, text } from '@laneway/core/internal'
import { type BullQueue, bullQueueOf, bullQueues } from '../redis/bull-queues.js'
import { type OpenRedis, openRedis } from '../redis/open-redis.js'
import { type StreamGroup, streamGroupOf, streamGroups } from '../redis/stream-groups.js'
import { byGroup } from './by-group.js'
import type { MessageReader } from './reader.js'

/** Options of {@link redisReader}. */
export interface RedisReaderOptions {
  /** `redis://user:password@host:port/0`, or `rediss:`. */
  url: string
  /** Its ioredis is used, else its node-redis. @default the folder of the process */
  folder?: string | undefined
}

const OPTIONS = {
  url: (value, place) => {
    if (typeof value !== 'string' || !/^rediss?:/.test(value) || !URL.canParse(value)) {
      throw place.unexpected('a redis(s) URL', typeof value === 'string' ? value.replace(/^.*@/, '***@') : value)
    }
    return value
  },
  folder: text(undefined),
} satisfies OptionTable<RedisReaderOptions>

/** Keys looked at in one step, and steps of a round: a large Redis is searched over many rounds, and nobody waits for it. */
const STEP_KEYS = 1000
const ROUND_STEPS = 20

/**
 * Reads queues of BullMQ and groups on streams whose consumers keep lanes apart, from the keys that Laneway writes for them. It
 * only reads.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function redisReader(options: RedisReaderOptions): MessageReader {
  const { url, folder = process.cwd() } = readOptions('redisReader', options, OPTIONS)
  const bull = new Map<string, BullQueue>()
  const streams = new Map<string, StreamGroup>()
  let cursor = '0'
  let open: Promise<OpenRedis> | undefined

  async function search(redis: OpenRedis): Promise<void> {
    for (let step = 0; step < ROUND_STEPS; step++) {
      const reply = (await redis.call('SCAN', cursor, 'MATCH', '*laneway:*', 'COUNT', STEP_KEYS)) as [string, string[]]
      cursor = String(reply[0])
      for (const key of reply[1].map(String)) {
        const queue = bullQueueOf(key)
        if (queue !== undefined) bull.set(key, queue)
        else if (!streams.has(key) && /^laneway:.+:ledger$/.test(key)) {
          const group = await streamGroupOf(redis, key)
          if (group !== undefined) streams.set(key, group)
        }
      }
      if (cursor === '0') return
    }
  }

  async function close(): Promise<void> {
    const was = open
    open = undefined
    await was?.then(redis => redis.end()).catch(() => {})
  }

  return {
    name: `Redis ${new URL(url).host}`,
    async read() {
      open ??= openRedis(url, folder)
      try {
        const redis = await open
        await search(redis)
        for (const key of [...bull.keys(), ...streams.keys()]) {
          if (Number(await redis.call('EXISTS', key)) === 1) continue
          bull.delete(key)
          streams.delete(key)
        }
        const found = await Promise.all([
          ...[...bull.values()].map(one => bullQueues(redis, one)),
          ...[...streams.values()].map(one => streamGroups(redis, one)),
        ])
        return { queues: found.flat().sort(byGroup) }
      } catch (error) {
        // The next round connects anew.
        await close()
        throw error
      }
    },
    close,
  }
}
