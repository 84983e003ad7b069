import type { RedisConnection } from '@laneway/messaging/internal'
import type { Queue } from '../wire.js'
import { leasesOf, pairsOf } from './replies.js'

/** A consumer group on a stream that keeps lanes apart. */
export interface StreamGroup {
  /** Its ledger. */
  readonly key: string
  readonly stream: string
  readonly group: string
}

type Groups = ReadonlyMap<string, ReadonlyMap<string, unknown>>

/** Finds the stream and the group of a ledger; their names may hold what stands between them in its key. */
export async function streamGroupOf(redis: RedisConnection, key: string): Promise<StreamGroup | undefined> {
  const rest = /^laneway:(.+):ledger$/.exec(key)?.[1] ?? ''
  for (let colon = rest.indexOf(':'); colon > 0; colon = rest.indexOf(':', colon + 1)) {
    const [slot, group] = [rest.slice(0, colon), rest.slice(colon + 1)]
    const bare = /^\{([^}]+)\}$/.exec(slot)?.[1]
    for (const stream of bare === undefined ? [slot] : [bare, slot]) {
      if ((await groupsOf(redis, stream)).has(group)) return { key, stream, group }
    }
  }
  return undefined
}

/** The group of base and those of the lanes. */
export async function streamGroups(redis: RedisConnection, { key, stream, group }: StreamGroup): Promise<Queue[]> {
  const [ledger, living, groups] = await Promise.all([
    redis.call('HGETALL', key),
    leasesOf(redis, key.replace(/:ledger$/, ':leases')),
    groupsOf(redis, stream),
  ])
  const queue = (lane: string, name: string, more: Pick<Queue, 'owner'> & Partial<Queue>): Queue => ({
    system: 'redis',
    name: `${stream}, ${name}`,
    group: `${stream}, ${group}`,
    lane,
    consumers: living.get(lane === 'base' ? '' : lane) ?? 0,
    lag: lagOf(groups.get(name)),
    ...more,
  })
  const base = queue('base', group, { owner: living.has('') ? 'base' : 'nobody' })
  const lanes = [...pairsOf(ledger)].map(([lane, text]) => {
    const [from, until] = String(text).split(';').filter(Boolean).at(-1)!.split(':')
    const isOpen = until === ''
    const owner = living.has(lane) ? lane : isOpen ? 'base, while the lane has no consumer' : 'base'
    const at = Number(isOpen ? from : until)
    const name = `${group}_${lane}`
    // The group of a lane that has ended is removed once it has been read.
    const lag = isOpen || groups.has(name) ? {} : { lag: 0 }
    // A stream that was never written to begins at 1.
    const since = at > 1 ? { sinceMs: at } : {}
    return queue(lane, name, { owner, state: isOpen ? 'open' : 'ended', ...since, ...lag })
  })
  return [base, ...lanes]
}

/** The groups of a stream; none where there is no stream. */
async function groupsOf(redis: RedisConnection, stream: string): Promise<Groups> {
  try {
    const found = (await redis.call('XINFO', 'GROUPS', stream)) as unknown[]
    return new Map(
      found.map(one => {
        const is = pairsOf(one)
        return [String(is.get('name')), is]
      }),
    )
  } catch (error) {
    if (/no such key|WRONGTYPE/.test((error as Error).message)) return new Map()
    throw error
  }
}

/** Redis counts since 7, and not after entries were removed. */
function lagOf(group: ReadonlyMap<string, unknown> | undefined): number | null {
  const lag = group?.get('lag')
  return lag === undefined || lag === null ? null : Number(lag)
}
