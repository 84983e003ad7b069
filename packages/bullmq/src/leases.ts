import type { LuaClient } from './bullmq.js'

/**
 * Who works for which lane of a queue, in Redis. All times are the server's.
 *
 * - `<prefix>:laneway:<queue>:leases`: sorted set, `lane|instance` with the end of the lease
 * - `<prefix>:laneway:<queue>:known`: sorted set, lanes that may have jobs with the time of their last use
 */
export interface LeaseKeys {
  readonly leases: string
  readonly known: string
  /** Of the queue. */
  readonly meta: string
  /** Before the name of a lane: begins the keys of the lane's queue. */
  readonly laneQueue: string
}

export function leaseKeys(prefix: string, queue: string): LeaseKeys {
  return {
    leases: `${prefix}:laneway:${queue}:leases`,
    known: `${prefix}:laneway:${queue}:known`,
    meta: `${prefix}:${queue}:meta`,
    laneQueue: `${prefix}:${queue}_`,
  }
}

const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

const HOLD = `${NOW}
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1] .. '|' .. ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[1])
return redis.call('HEXISTS', KEYS[3], 'paused')`

const LOOK = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local living = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  living[string.sub(member, 1, string.find(member, '|', 1, true) - 1)] = true
end
local result = {redis.call('HEXISTS', KEYS[3], 'paused')}
local known = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #known, 2 do
  local lane = known[i]
  if living[lane] then
    result[#result + 1] = '+' .. lane
  else
    local q = ARGV[1] .. lane
    local jobs = redis.call('LLEN', q .. ':wait') + redis.call('LLEN', q .. ':active') + redis.call('LLEN', q .. ':paused')
      + redis.call('ZCARD', q .. ':delayed') + redis.call('ZCARD', q .. ':prioritized') + redis.call('ZCARD', q .. ':waiting-children')
    if jobs > 0 then
      result[#result + 1] = '-' .. lane
    elseif known[i + 1] + ARGV[2] < now then
      redis.call('ZREM', KEYS[2], lane)
    end
  end
end
return result`

/** A lane without consumers and without jobs is forgotten after this while. */
const FORGOTTEN_AFTER_MS = 3_600_000

const USE = `${NOW}
return redis.call('ZADD', KEYS[1], now, ARGV[1])`

/** The field of a job's hash that names the child which works for it. */
const FORWARDED_FIELD = 'laneway'

const TAKE = `
local child = redis.call('HGET', KEYS[1], '${FORWARDED_FIELD}')
if not child then
  if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], '${FORWARDED_FIELD}', ARGV[1]) end
  return {'new'}
end
local key = ARGV[2] .. child
for _, set in ipairs({'processed', 'failed'}) do
  local value = redis.call('HGET', KEYS[1] .. ':' .. set, key)
  if value then
    redis.call('HDEL', KEYS[1], '${FORWARDED_FIELD}')
    redis.call('HDEL', KEYS[1] .. ':' .. set, key)
    return {set, value}
  end
end
return {'pending', child}`

const COMMANDS = {
  lanewayHold: { numberOfKeys: 3, lua: HOLD },
  lanewayLook: { numberOfKeys: 3, lua: LOOK },
  lanewayUse: { numberOfKeys: 1, lua: USE },
  lanewayTake: { numberOfKeys: 1, lua: TAKE },
}

/** What a look at the leases says. */
export interface Look {
  /** The queue is paused for everybody. */
  readonly paused: boolean
  readonly living: ReadonlySet<string>
  /** Lanes without a living consumer whose queue has jobs. */
  readonly orphaned: ReadonlySet<string>
}

/** What became of a job that may have been moved to a lane. */
export type Taken =
  | { readonly state: 'new' }
  | { readonly state: 'pending'; readonly child: string }
  | { readonly state: 'processed' | 'failed'; readonly value: string }

/** The commands on the leases of one queue. */
export class Leases {
  readonly #client: Promise<LuaClient>
  readonly #keys: LeaseKeys

  constructor(client: Promise<LuaClient>, keys: LeaseKeys) {
    this.#keys = keys
    this.#client = client.then(client => {
      for (const [name, definition] of Object.entries(COMMANDS)) client.defineCommand(name, definition)
      return client
    })
    // Whoever calls a command hears of it.
    this.#client.catch(() => {})
  }

  /** @returns whether the queue is paused for everybody */
  async hold(lane: string, instance: string, leaseMs: number): Promise<boolean> {
    const { leases, known, meta } = this.#keys
    return (await this.#run('lanewayHold', leases, known, meta, lane, leaseMs, instance)) === 1
  }

  /** Ends the lease. */
  async release(lane: string, instance: string): Promise<void> {
    const { leases, known, meta } = this.#keys
    await this.#run('lanewayHold', leases, known, meta, lane, 0, instance)
  }

  async look(): Promise<Look> {
    const { leases, known, meta, laneQueue } = this.#keys
    const reply = await this.#run('lanewayLook', leases, known, meta, laneQueue, FORGOTTEN_AFTER_MS)
    const [paused, ...lanes] = reply as [number, ...string[]]
    const named = (sign: string) => new Set(lanes.filter(one => one[0] === sign).map(one => one.slice(1)))
    return { paused: paused === 1, living: named('+'), orphaned: named('-') }
  }

  /** Keeps a lane among those whose queue is looked at. */
  async use(lane: string): Promise<void> {
    await this.#run('lanewayUse', this.#keys.known, lane)
  }

  /**
   * Takes the result of the child that a job was forwarded to, once; or marks the job as forwarded.
   *
   * @param child - `<lane>:<id>` of the child to forward to; `''` to forward to none
   */
  async take(jobKey: string, child: string): Promise<Taken> {
    const [state, value] = (await this.#run('lanewayTake', jobKey, child, this.#keys.laneQueue)) as [string, string]
    if (state === 'pending') return { state, child: value }
    return state === 'processed' || state === 'failed' ? { state, value } : { state: 'new' }
  }

  async #run(name: keyof typeof COMMANDS, ...args: (string | number)[]): Promise<unknown> {
    const client = await this.#client
    return client[name]!(...args)
  }
}
