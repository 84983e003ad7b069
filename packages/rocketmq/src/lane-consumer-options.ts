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
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, MESSAGE_OPTIONS, type MessageLanes } from '@laneway/messaging/internal'
import type { LaneLedger } from './isolation/lane-ledger.js'
import type { ReceivedMessage, RocketmqClasses } from './rocketmq.js'

/** Options of {@link createLaneConsumer}. */
export interface RocketmqConsumerOptions extends MessageOptions {
  /** The classes of your client: `import rocketmq from 'rocketmq-client-nodejs'`. */
  rocketmq: RocketmqClasses
  /** What the client takes besides group and subscriptions: `endpoints`, `namespace`, `sessionCredentials`, … */
  client: Readonly<Record<string, unknown>>
  /** The consumer group, the same in base and lane instances. A lane's own is `<group>_<lane>`, as MSE has it. */
  consumerGroup: string
  /** Topics with their filters, as the client takes them; `'*'` for all messages. */
  subscriptions: ReadonlyMap<string, unknown>
  /**
   * Handles a message, in its lane. The message is acknowledged when the promise resolves. Otherwise it comes again after
   * `invisibleMs`, until the broker moves it to the dead letters of the group.
   */
  handler: (message: any) => unknown
  /**
   * `propagate`: each message is handled in its lane, on whichever instance takes it. `isolate`: messages of a lane go to
   * the instances of the lane while one lives; say so in instances of base and of lanes alike.
   * @default 'propagate', because nothing about who consumes changes
   */
  lanes?: 'propagate' | 'isolate'
  /** Under `isolate`: where the consumers agree, `createRedisLedger(redis)`. The same in base and lane instances. */
  ledger?: LaneLedger
  /** Messages that are handled at a time; those of a FIFO topic are handled one by one. @default 10 */
  concurrency?: number
  /**
   * How long a message stays invisible to others, in milliseconds. It is renewed while the handler runs. The broker's
   * least is ten seconds.
   * @default 15000
   */
  invisibleMs?: number
  /** How long a request for messages waits, in milliseconds, and so the most that closing waits. @default 1500 */
  awaitMs?: number
  /**
   * Under `isolate`: what the group of a lane reads. `sql`: the broker gives it the lane's messages, which needs
   * `enablePropertyFilter=true` there. `code`: all messages, and Laneway skips those of others. The same in all instances.
   * @default 'code', because brokers do not have that setting by default
   */
  filter?: 'sql' | 'code'
  /**
   * Under `isolate`, what becomes of a lane's messages while no instance of the lane lives: base handles them, or they wait.
   * @default 'base'
   */
  whenLaneMissing?: 'base' | 'fail'
  /** Under `isolate`: how long an instance counts as alive after its last sign, in milliseconds. @default 3000 */
  leaseMs?: number
  /** Under `isolate`: how often an instance asks the ledger, in milliseconds. @default 300 */
  lookMs?: number
  /** Under `isolate`: a lane without instances ends after this while, in milliseconds. @default 86400000, a day */
  endAfterMs?: number
  /**
   * Under `isolate`: a new lane does not wait until an instance of base isolates lanes.
   * @default false, because without one the lane's messages are handled by base, too
   */
  assumeBase?: boolean
  /** Told why a handler, the broker or the ledger failed. @default a process warning */
  onError?: (error: Error, message?: any) => void
  /** Told what the operator should know. @default a process warning */
  warn?: Warn
}

const WHERE = 'createLaneConsumer'
const isFunction = (value: unknown) => typeof value === 'function'

const OPTIONS = {
  rocketmq: (value, place) => {
    const { SimpleConsumer, FilterExpression } = Object(value) as Partial<RocketmqClasses>
    if (isFunction(SimpleConsumer) && isFunction(FilterExpression)) return value as RocketmqClasses
    throw place.unexpected('what rocketmq-client-nodejs exports, with SimpleConsumer and FilterExpression', value)
  },
  client: (value, place) => {
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
    throw place.unexpected('an object with the endpoints', value)
  },
  consumerGroup: required(text(undefined)),
  subscriptions: (value, place) => {
    if (value instanceof Map && value.size > 0) return value as ReadonlyMap<string, unknown>
    throw place.unexpected('a Map of topics', value)
  },
  handler: required(callback<RocketmqConsumerOptions['handler']>()),
  lanes: oneOf(['propagate', 'isolate'], 'propagate'),
  ledger: (value, place) => {
    if (value === undefined || isFunction(Object(value).look)) return value as LaneLedger | undefined
    throw place.unexpected('createRedisLedger(redis)', value)
  },
  concurrency: whole(10, 1, 10_000),
  invisibleMs: milliseconds(15_000, 10_000),
  awaitMs: milliseconds(1500, 100),
  filter: oneOf(['sql', 'code'], 'code'),
  whenLaneMissing: oneOf(['base', 'fail'], 'base'),
  leaseMs: milliseconds(3000, 100),
  lookMs: milliseconds(300, 10, 1000),
  endAfterMs: milliseconds(24 * 3600 * 1000, 1000),
  assumeBase: flag(false),
  onError: callback<NonNullable<RocketmqConsumerOptions['onError']>>(),
  warn: callback<Warn, Warn>(emitLanewayWarning),
  header: unchecked<MessageOptions['header']>(),
  trust: unchecked<MessageOptions['trust']>(),
  propagate: unchecked<MessageOptions['propagate']>(),
  tag: unchecked<MessageOptions['tag']>(),
} satisfies OptionTable<RocketmqConsumerOptions>

/** The options with their defaults. */
export type LaneConsumerSettings = ReturnType<typeof resolveLaneConsumerOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveLaneConsumerOptions(options: RocketmqConsumerOptions) {
  const { onError, lanes: mode, whenLaneMissing, ...read } = readOptions(WHERE, options, OPTIONS)
  const given = Object.fromEntries(
    MESSAGE_OPTIONS.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
  const lanes: MessageLanes = createMessageLanes(WHERE, 'rocketmq', given)
  const failed = (error: Error, message?: ReceivedMessage): void => {
    if (onError !== undefined) onError(error, message)
    else read.warn(`rocketmq: ${message === undefined ? '' : `message ${message.messageId}: `}${error?.message}`)
  }
  return Object.freeze({
    ...read,
    lanes,
    isolate: mode === 'isolate',
    standsIn: whenLaneMissing === 'base',
    instance: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    failed,
  })
}
