import { LanewayError, type Warn } from '@laneway/core'
import { assertOneOf, describe, emitLanewayWarning } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, type MessageLanes } from '@laneway/messaging/internal'

/** What `LANEWAY_DISABLE` names, besides `all`, to switch this package off. */
export const PARTS: readonly string[] = ['amqp']

/** Options of {@link laneAmqp}. */
export interface LaneAmqpOptions extends MessageOptions {
  /** Told once when this instance of a lane consumes without isolation, and of lanes that are too slow. @default a process warning */
  warn?: Warn
}

export interface AmqpSettings {
  readonly lanes: MessageLanes
  readonly warn: Warn
  /** Of a preload: whether a consumer that says nothing of lanes keeps them apart. */
  readonly isolates?: (queue: string) => boolean
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveAmqpOptions({ warn, ...options }: LaneAmqpOptions): AmqpSettings {
  return Object.freeze({ lanes: createMessageLanes('laneAmqp', 'amqp', options), warn: warn ?? emitLanewayWarning })
}

/** What `consume` takes besides the options of amqplib. */
export interface LaneConsumeOptions {
  /**
   * `propagate`: each message is handled in its lane, on whichever instance takes it. `isolate`: messages of a lane go to
   * the instances of the lane while one lives; say so in instances of base and of lanes alike.
   * @default 'propagate', because nothing about who consumes changes
   */
  lanes?: 'propagate' | 'isolate'
  /**
   * Under `isolate`, what becomes of a lane's messages while no consumer of the lane lives: base handles them, or they wait.
   * @default 'base'
   */
  whenLaneMissing?: 'base' | 'fail'
  /**
   * Under `isolate`: how long a message waits in the queue of its lane before it returns to base, in milliseconds. The
   * same in base and lane instances: RabbitMQ keeps it with the queue.
   * @default 10000
   */
  laneTtlMs?: number
  /** Under `isolate`: how old base's knowledge of a lane may be, in milliseconds. @default 300, which is 3.3 requests a second */
  lookMs?: number
  /** Under `isolate`: more arguments of the lane's queue, such as `x-queue-type` or `x-max-priority`. @default none */
  laneArguments?: Record<string, unknown>
}

export interface ConsumeSettings {
  readonly isolate: boolean
  /** Whether base handles the messages of lanes without consumers. */
  readonly standsIn: boolean
  readonly laneTtlMs: number
  readonly lookMs: number
  readonly laneArguments: Record<string, unknown>
  /** Of amqplib, without ours. */
  readonly rest: Record<string, unknown> | undefined
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveConsumeOptions(
  options: (LaneConsumeOptions & Record<string, unknown>) | undefined,
): ConsumeSettings {
  const {
    lanes = 'propagate',
    whenLaneMissing = 'base',
    laneTtlMs = 10_000,
    lookMs = 300,
    laneArguments = {},
    ...rest
  } = options ?? {}
  assertOneOf('consume: lanes', lanes, ['propagate', 'isolate'])
  assertOneOf('consume: whenLaneMissing', whenLaneMissing, ['base', 'fail'])
  for (const [name, value] of Object.entries({ laneTtlMs, lookMs })) {
    if (Number.isInteger(value) && value >= 10) continue
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `consume: ${name} is a whole number of milliseconds, at least 10, received ${describe(value)}`,
    )
  }
  const isolate = lanes === 'isolate'
  if (isolate && rest['noAck'] === true) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      "consume: lanes is 'isolate' and noAck is true; base acknowledges a message once it is in the queue of its lane: leave noAck out",
    )
  }
  if (isolate && rest['exclusive'] === true) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      "consume: lanes is 'isolate' and exclusive is true; leave one of them out",
    )
  }
  const standsIn = whenLaneMissing === 'base'
  return { isolate, standsIn, laneTtlMs, lookMs, laneArguments, rest: options === undefined ? undefined : rest }
}
