import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Warn } from '@laneway/core'
import {
  callback,
  emitLanewayWarning,
  flag,
  milliseconds,
  type OptionTable,
  oneOf,
  readOptions,
  required,
  text,
  unchecked,
  whole,
} from '@laneway/core/internal'
import type { MessageOptions, RedisClient } from '@laneway/messaging'
import { createMessageLanes, isRedisClient, MESSAGE_OPTIONS, type MessageLanes } from '@laneway/messaging/internal'
import type { LaneStreamEntry } from './stream/stream-entry.js'

/** Options of {@link createLaneStreamConsumer}. */
export interface LaneStreamOptions extends MessageOptions {
  /** A connected client of ioredis 5 or node-redis 5. Connections that block are opened beside it. */
  client: RedisClient
  /** One stream or several. */
  stream: string | readonly string[]
  /** The consumer group, the same in base and lane instances. A lane's own is `<group>_<lane>`. */
  group: string
  /**
   * Handles an entry, in its lane. The entry is acknowledged when the promise resolves. Otherwise it stays pending, and is
   * handled again after `claimIdleMs`.
   */
  handler: (entry: LaneStreamEntry) => unknown
  /**
   * `propagate`: each entry is handled in its lane, on whichever instance takes it. `isolate`: entries of a lane go to the
   * instances of the lane while one lives; say so in instances of base and of lanes alike.
   * @default 'propagate', because nothing about who consumes changes
   */
  lanes?: 'propagate' | 'isolate'
  /** This consumer's name in the group. @default host name, process and a random part */
  consumer?: string
  /** Entries that are handled at a time. @default 1, which keeps their order */
  concurrency?: number
  /** Where the group begins when it does not exist: an id, `0` or `$`. @default '$', what is added from now on */
  startId?: string
  /**
   * How long an entry has to be out of hand before another consumer takes it, in milliseconds. Entries whose handlers run
   * are in hand, however long that takes.
   * @default 10000
   */
  claimIdleMs?: number
  /**
   * Under `isolate`, what becomes of a lane's entries while no instance of the lane lives: base handles them, or they wait.
   * @default 'base'
   */
  whenLaneMissing?: 'base' | 'fail'
  /** Under `isolate`: how long an instance of a lane counts as alive after its last sign, in milliseconds. @default 3000 */
  leaseMs?: number
  /** Under `isolate`: how often base looks for the lanes, in milliseconds. @default 300 */
  lookMs?: number
  /** Under `isolate`: a lane without instances ends after this while, in milliseconds. @default 86400000, a day */
  endAfterMs?: number
  /**
   * Under `isolate`: a new lane does not wait until all active consumers of the group run Laneway with isolation.
   * @default false, because others handle the lane's entries, too
   */
  assumeBase?: boolean
  /** Told why a handler or Redis failed. @default a process warning */
  onError?: (error: Error, entry?: LaneStreamEntry) => void
  /** Told what the operator should know. @default a process warning */
  warn?: Warn
}

/** The options with their defaults. */
export interface StreamSettings {
  readonly client: RedisClient
  readonly streams: readonly string[]
  readonly group: string
  readonly handler: (entry: LaneStreamEntry) => unknown
  readonly lanes: MessageLanes
  readonly isolate: boolean
  readonly consumer: string
  readonly concurrency: number
  readonly startId: string
  readonly claimIdleMs: number
  readonly standsIn: boolean
  readonly leaseMs: number
  readonly lookMs: number
  readonly endAfterMs: number
  readonly assumeBase: boolean
  readonly failed: (error: Error, entry?: LaneStreamEntry) => void
  readonly warn: Warn
}

const WHERE = 'createLaneStreamConsumer'

const OPTIONS = {
  client: (value, place) => {
    if (!isRedisClient(value)) throw place.unexpected('a client of ioredis or node-redis', value)
    return value
  },
  stream: (value, place) => {
    const streams = typeof value === 'string' ? [value] : value
    if (Array.isArray(streams) && streams.length > 0 && streams.every(one => typeof one === 'string' && one !== '')) {
      return streams as string[]
    }
    throw place.unexpected('a name or a list of names', value)
  },
  group: required(text(undefined)),
  handler: required(callback<LaneStreamOptions['handler']>()),
  lanes: oneOf(['propagate', 'isolate'], 'propagate'),
  consumer: text(undefined),
  concurrency: whole(1, 1, 10_000),
  startId: text('$'),
  claimIdleMs: milliseconds(10_000, 100),
  whenLaneMissing: oneOf(['base', 'fail'], 'base'),
  leaseMs: milliseconds(3000, 100),
  lookMs: milliseconds(300, 10),
  endAfterMs: milliseconds(24 * 3600 * 1000, 1000),
  assumeBase: flag(false),
  onError: callback<NonNullable<LaneStreamOptions['onError']>>(),
  warn: callback<Warn, Warn>(emitLanewayWarning),
  header: unchecked<MessageOptions['header']>(),
  trust: unchecked<MessageOptions['trust']>(),
  propagate: unchecked<MessageOptions['propagate']>(),
  tag: unchecked<MessageOptions['tag']>(),
} satisfies OptionTable<LaneStreamOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveStreamOptions(options: LaneStreamOptions): StreamSettings {
  const { stream, lanes, whenLaneMissing, onError, consumer, header, trust, propagate, tag, ...rest } = readOptions(
    WHERE,
    options,
    OPTIONS,
  )
  const given = Object.fromEntries(
    MESSAGE_OPTIONS.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
  const failed = (error: Error, entry?: LaneStreamEntry): void => {
    if (onError !== undefined) onError(error, entry)
    else
      rest.warn(
        `redis-streams: ${entry === undefined ? '' : `entry ${entry.id} of "${entry.stream}": `}${error?.message}`,
      )
  }
  return Object.freeze({
    ...rest,
    streams: stream,
    lanes: createMessageLanes(WHERE, 'redis-streams', given),
    isolate: lanes === 'isolate',
    consumer: consumer ?? `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    standsIn: whenLaneMissing === 'base',
    failed,
  })
}
