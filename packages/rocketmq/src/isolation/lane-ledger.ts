import { isTag, LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import type { RedisClient } from '@laneway/messaging'
import { connectionOf, isRedisClient, ledgerKey, ledgerValue, RedisScript } from '@laneway/messaging/internal'

/** A record of the ledger, as the store has it. */
export interface StoredRecord {
  /** Grows from record to record. */
  readonly id: string
  readonly key: string
  readonly value: string
  /** By the clock of the store, in milliseconds since the epoch. */
  readonly appendedMs: number
}

/** What the store says at one moment. */
export interface LedgerLook {
  /** Those behind the id that was asked for. */
  readonly records: readonly StoredRecord[]
  readonly living: ReadonlySet<string>
  /** A consumer of base lives, too. */
  readonly baseLives: boolean
  readonly nowMs: number
  /** When each lane was alive last. */
  readonly seenMs: ReadonlyMap<string, number>
}

/**
 * Where the consumers of a group agree which lane owns which messages, and who lives. All times are of one clock, the
 * store's.
 */
export interface LaneLedger {
  look(group: string, afterId: string): Promise<LedgerLook>
  append(group: string, key: string, value: string): Promise<void>
  /** @param lane - `''` for base */
  hold(group: string, lane: string, instance: string, leaseMs: number): Promise<void>
  release(group: string, lane: string, instance: string): Promise<void>
}

const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

/** KEYS: ledger, leases, seen. ARGV: id. */
const LOOK = new RedisScript(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local living = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  living[#living + 1] = string.sub(member, 1, string.find(member, '|', 1, true) - 1)
end
return {now, living, redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES'), redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')}`)

/** KEYS: as before. ARGV: lane, instance, lease. */
const HOLD = new RedisScript(`${NOW}
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1] .. '|' .. ARGV[2])
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[3], now, ARGV[1]) end
return 0`)

/**
 * Keeps the ledger and the leases of RocketMQ's groups in Redis 6.2 or later, under `laneway:{rocketmq:<group>}:…`.
 *
 * @param client - a connected client of ioredis or node-redis
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createRedisLedger(client: RedisClient): LaneLedger {
  if (!isRedisClient(client)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `createRedisLedger takes a client of ioredis or node-redis, received ${describe(client)}`,
    )
  }
  const redis = connectionOf(client)
  const keysOf = (group: string) => ['ledger', 'leases', 'seen'].map(part => `laneway:{rocketmq:${group}}:${part}`)
  return Object.freeze({
    async look(group: string, afterId: string) {
      const reply = await LOOK.run(redis, keysOf(group), [afterId])
      const [nowMs, living, seen, records] = reply as [number, unknown[], unknown[], [unknown, unknown[]][]]
      const lanes = living.map(String)
      const seenMs = new Map<string, number>()
      for (let i = 0; i < seen.length; i += 2) seenMs.set(String(seen[i]), Number(seen[i + 1]))
      return {
        records: records.map(([id, fields]) => ({
          id: String(id),
          key: String(fields[1]),
          value: String(fields[3]),
          appendedMs: Number.parseInt(String(id), 10),
        })),
        living: new Set(lanes.filter(lane => lane !== '')),
        baseLives: lanes.includes(''),
        nowMs: Number(nowMs),
        seenMs,
      }
    },
    async append(group: string, key: string, value: string) {
      await redis.call('XADD', keysOf(group)[0]!, '*', 'key', key, 'value', value)
    },
    async hold(group: string, lane: string, instance: string, leaseMs: number) {
      await HOLD.run(redis, keysOf(group), [lane, instance, leaseMs])
    },
    async release(group: string, lane: string, instance: string) {
      await redis.call('ZREM', keysOf(group)[1]!, `${lane}|${instance}`)
    },
  })
}

/** A lane of a consumer group. */
export interface GroupLane {
  /** Of base. */
  readonly group: string
  /** Those that the group subscribes to. A topic that is added later begins with an announcement of its own. */
  readonly topics: readonly string[]
  readonly lane: string
}

/** The name that the ledger has for a group on a topic. */
export const placeOf = (group: string, topic: string): string => `${group}/${topic}`

/**
 * Announces a lane whose consumers are not under Laneway, such as Java services in `<group>_<lane>`: six seconds later base
 * leaves the lane's messages to them. Their group has to exist. Nothing says whether they live: give base
 * `whenLaneMissing: 'fail'`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, and what the store says
 */
export async function announceLane(ledger: LaneLedger, { group, topics, lane }: GroupLane): Promise<void> {
  assertLaneName('announceLane', lane)
  for (const topic of topics) {
    await ledger.append(group, ledgerKey(placeOf(group, topic), lane), ledgerValue({ start: {} }))
  }
}

/**
 * Ends a lane: base owns the messages that are sent from a minute later on.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, and what the store says
 */
export async function endLane(ledger: LaneLedger, { group, topics, lane }: GroupLane): Promise<void> {
  assertLaneName('endLane', lane)
  for (const topic of topics) {
    await ledger.append(group, ledgerKey(placeOf(group, topic), lane), ledgerValue({ end: true }))
  }
}

function assertLaneName(where: string, lane: string): void {
  if (!isTag(lane)) throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}: ${describe(lane)} is no lane`)
}
