import { KEEP_ENDED_MS, type OwnedInterval, type RedisConnection, RedisScript } from '@laneway/messaging/internal'
import { NOBODY } from '../stream/group-membership.js'

/**
 * Which lane owns which entries of a stream, and who works for whom, in Redis: one ledger for each stream and group.
 * Redis runs each script as one step, and ids only grow. So an announcement owns every entry that is added after it, and
 * a look knows every announcement that concerns an entry which was there before it. Clocks of instances play no part.
 *
 * - `laneway:{stream}:group:ledger`: hash, lane to its intervals, `<from>:<until>;` for each, in ms of entry ids. The
 *   last has no end while the lane goes on.
 * - `…:leases`: sorted set, `lane|instance` with the end of the lease, by the server's clock; base has an empty lane
 * - `…:seen`: sorted set, lane to its last beat
 */
const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

/** In milliseconds of ids. A stream that was never written to begins at 0. */
const LAST_MS = `local last, lastId = 0, '0-0'
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then lastId = info[i + 1] end
  end
  last = tonumber(string.match(lastId, '^%d+'))
end`

/** Compares whole ids: a millisecond may have more entries than were delivered. A number of one may have 20 digits. */
const AT_LEAST = `local function atLeast(id, other)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  local otherMs, otherNumber = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= otherMs then return tonumber(ms) > tonumber(otherMs) end
  return #number > #otherNumber or (#number == #otherNumber and number >= otherNumber)
end`

/** Ends the open interval of a lane at what is there now. */
const END_LANE = `local function finish(lane, value)
  value = value .. string.format('%.0f', last + 1) .. ';'
  redis.call('HSET', KEYS[2], lane, value)
  return value
end`

/**
 * ARGV: lane, instance, lease, group, the lane's group, whether every consumer of base counts as ours, how long a
 * consumer counts as active. Returns the consumer of base that is not ours, and then has announced nothing.
 */
const HOLD = new RedisScript(`${NOW}
local value = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if string.sub(value, -1) ~= ':' then
  local consumers = ARGV[6] == '1' and {} or redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[4])
  for _, one in ipairs(consumers) do
    local is = {}
    for i = 1, #one, 2 do is[one[i]] = one[i + 1] end
    local lease = redis.call('ZSCORE', KEYS[3], '|' .. is.name)
    if is.idle < tonumber(ARGV[7]) and not lease and is.name ~= '${NOBODY}' then return is.name end
  end
  ${LAST_MS}
  value = value .. string.format('%.0f', last + 1) .. ':'
  redis.call('HSET', KEYS[2], ARGV[1], value)
end
local before = string.format('%.0f-18446744073709551615', tonumber(string.match(value, '(%d+):$')) - 1)
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[5], before, 'MKSTREAM')
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1] .. '|' .. ARGV[2])
redis.call('ZADD', KEYS[4], now, ARGV[1])
return false`)

/**
 * ARGV: the prefix of groups of lanes, consumer of base or '', how long it counts as ours, how long a lane may be away, how long what
 * ended is kept. The group of a lane that ended goes once it was read and no entry can come that the lane owns. Returns the last time,
 * then for each lane its name, its intervals, and '+' for a living one, '-' for one whose group needs readers.
 */
const LOOK = new RedisScript(`${NOW}
${LAST_MS}
${AT_LEAST}
${END_LANE}
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[3], now + ARGV[3], '|' .. ARGV[2]) end
local living = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  living[string.sub(member, 1, string.find(member, '|', 1, true) - 1)] = true
end
local groups = nil
local function rest(name)
  if not groups then
    groups = {}
    local found = redis.pcall('XINFO', 'GROUPS', KEYS[1])
    for _, one in ipairs(found.err and {} or found) do
      local is = {}
      for i = 1, #one, 2 do is[one[i]] = one[i + 1] end
      groups[is.name] = is
    end
  end
  return groups[name]
end
local result = {string.format('%.0f', last)}
local ledger = redis.call('HGETALL', KEYS[2])
for i = 1, #ledger, 2 do
  local lane, value, state = ledger[i], ledger[i + 1], ''
  local seen = tonumber(redis.call('ZSCORE', KEYS[4], lane) or now)
  local open = string.sub(value, -1) == ':'
  if open and not living[lane] and seen + ARGV[4] < now then value = finish(lane, value) open = false end
  if living[lane] then
    state = '+'
  elseif open then
    state = '-'
  else
    local group = rest(ARGV[1] .. lane)
    if group then
      local delivered = group['last-delivered-id']
      local ended = tonumber(string.match(value, '(%d+);$'))
      local passed = tonumber(string.match(delivered, '^%d+')) >= ended
      if group.pending == 0 and (passed or (now >= ended and atLeast(delivered, lastId))) then
        redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1] .. lane)
      else
        state = '-'
      end
    end
    if state == '' and seen + ARGV[5] < now then
      redis.call('HDEL', KEYS[2], lane)
      redis.call('ZREM', KEYS[4], lane)
    end
  end
  result[#result + 1] = lane
  result[#result + 1] = value
  result[#result + 1] = state
end
return result`)

/** ARGV: lane. */
const END = new RedisScript(`${LAST_MS}
${END_LANE}
local value = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if string.sub(value, -1) ~= ':' then return 0 end
finish(ARGV[1], value)
return 1`)

/** A consumer of base that has read an entry within this time counts as active, in milliseconds. */
const ACTIVE_MS = 30_000
/** One that was killed has been active, too. */
const BASE_LEASE_MS = 2 * ACTIVE_MS

/** What a look at the ledger says. */
export interface StreamLook {
  /** It knows of every announcement that concerns an entry up to this time. */
  readonly lastMs: number
  readonly intervals: ReadonlyMap<string, readonly OwnedInterval[]>
  readonly living: ReadonlySet<string>
  /** Lanes without a living consumer whose groups have to be read. */
  readonly orphaned: ReadonlySet<string>
}

export class StreamLedger {
  readonly #connection: RedisConnection
  readonly #keys: readonly string[]
  readonly #group: string

  constructor(connection: RedisConnection, stream: string, group: string) {
    this.#connection = connection
    this.#group = group
    // On a cluster a script and its keys are in the slot of the stream.
    const slot = /\{[^}]+\}/.test(stream) ? stream : `{${stream}}`
    this.#keys = [stream, ...['ledger', 'leases', 'seen'].map(part => `laneway:${slot}:${group}:${part}`)]
  }

  /**
   * Says that an instance of a lane lives; the first announces the lane.
   *
   * @returns a consumer of base that works without Laneway, which would handle the lane's entries, too
   */
  async hold(lane: string, instance: string, leaseMs: number, assumeBase: boolean): Promise<string | undefined> {
    const args = [lane, instance, leaseMs, this.#group, laneGroup(this.#group, lane), assumeBase ? 1 : 0, ACTIVE_MS]
    const foreign = await HOLD.run(this.#connection, this.#keys, args)
    return foreign === null ? undefined : String(foreign)
  }

  async release(lane: string, instance: string): Promise<void> {
    await this.#connection.call('ZREM', this.#keys[2]!, `${lane}|${instance}`)
  }

  /** @param consumer - of base, which says that it lives; `''` for a lane */
  async look(consumer: string, endAfterMs: number): Promise<StreamLook> {
    const args = [laneGroup(this.#group, ''), consumer, BASE_LEASE_MS, endAfterMs, KEEP_ENDED_MS]
    const [last, ...rest] = (await LOOK.run(this.#connection, this.#keys, args)) as unknown[]
    const lanes = rest.map(String)
    const intervals = new Map<string, OwnedInterval[]>()
    const living = new Set<string>()
    const orphaned = new Set<string>()
    for (let i = 0; i < lanes.length; i += 3) {
      const [lane, value, state] = [lanes[i]!, lanes[i + 1]!, lanes[i + 2]]
      intervals.set(lane, parseIntervals(value))
      if (state === '+') living.add(lane)
      if (state === '-') orphaned.add(lane)
    }
    return { lastMs: Number(last), intervals, living, orphaned }
  }

  /** @returns whether the lane was going on */
  async end(lane: string): Promise<boolean> {
    return (await END.run(this.#connection, this.#keys, [lane])) === 1
  }
}

/** The consumer group of a lane. */
export const laneGroup = (group: string, lane: string): string => `${group}_${lane}`

function parseIntervals(value: string): OwnedInterval[] {
  const intervals = value.split(';').filter(one => one !== '')
  return intervals.map(one => {
    const [from, until] = one.split(':')
    return { fromMs: Number(from), untilMs: until === '' ? undefined : Number(until) }
  })
}
