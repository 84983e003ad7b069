import type { RedisConnection } from '@laneway/messaging/internal'

/** A list of names and values, in whichever form the client gives it. */
export function pairsOf(reply: unknown): Map<string, unknown> {
  if (reply instanceof Map) return reply
  if (!Array.isArray(reply)) return new Map(Object.entries(Object(reply)))
  const pairs = new Map<string, unknown>()
  for (let i = 0; i < reply.length; i += 2) pairs.set(String(reply[i]), reply[i + 1])
  return pairs
}

/** How many instances of each lane hold a lease that has not ended, by the clock of the server; of base under `''`. */
export async function leasesOf(redis: RedisConnection, key: string): Promise<Map<string, number>> {
  const [[seconds, micros], leases] = (await Promise.all([
    redis.call('TIME'),
    redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'),
  ])) as [string[], unknown]
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  const living = new Map<string, number>()
  for (const [member, end] of pairsOf(leases)) {
    const lane = member.slice(0, member.indexOf('|'))
    if (Number(end) > now) living.set(lane, (living.get(lane) ?? 0) + 1)
  }
  return living
}
