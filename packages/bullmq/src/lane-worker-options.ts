import { isTag, LanewayError, type Warn } from '@laneway/core'
import { assertOneOf, describe, emitLanewayWarning } from '@laneway/core/internal'
import { createMessageLanes, type MessageLanes, type MessageOptions } from '@laneway/messaging'
import type { BullClasses, BullWorker } from './bullmq.js'

/** What {@link createLaneWorker} takes besides the options of BullMQ's `Worker`. */
export interface LaneWorkerOptions<W extends BullWorker = BullWorker> extends MessageOptions {
  /** The classes of your BullMQ: `import { Queue, Worker } from 'bullmq'`. */
  bullmq: BullClasses<W>
  /**
   * `propagate`: each job runs in its lane, on whichever instance takes it. `isolate`: jobs of a lane go to the instances
   * of the lane while one lives; say so in instances of base and of lanes alike.
   * @default 'propagate', because nothing about who consumes changes
   */
  lanes?: 'propagate' | 'isolate'
  /**
   * Under `isolate`, what becomes of a lane's jobs while no instance of the lane lives: base handles them, or they wait.
   * @default 'base'
   */
  whenLaneMissing?: 'base' | 'fail'
  /** How long an instance of a lane counts as alive after its last sign, in milliseconds. @default 3000 */
  leaseMs?: number
  /** How often base looks for the lanes, in milliseconds. @default 300, which is 3.3 requests a second */
  lookMs?: number
  /** Told once when this instance of a lane consumes without isolation. @default a process warning */
  warn?: Warn
}

/** The options of BullMQ's worker, and ours with their defaults. */
export interface LaneWorkerSettings {
  readonly classes: BullClasses
  readonly lanes: MessageLanes
  readonly isolate: boolean
  readonly standsIn: boolean
  readonly leaseMs: number
  readonly lookMs: number
  readonly warn: Warn
  /** Of BullMQ. */
  readonly worker: Record<string, unknown>
  /** Of BullMQ's queue: connection and prefix of the worker. */
  readonly queue: Record<string, unknown>
  readonly prefix: string
}

const WHERE = 'createLaneWorker'

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveLaneWorkerOptions(options: LaneWorkerOptions & Record<string, unknown>): LaneWorkerSettings {
  const { bullmq, lanes, whenLaneMissing, leaseMs, lookMs, warn, header, trust, propagate, tag, ...worker } = options
  if (typeof bullmq?.Worker !== 'function' || typeof bullmq.Queue !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: bullmq holds the classes of your BullMQ, received ${describe(bullmq)}; import { Queue, Worker } from ` +
        "'bullmq' and give { bullmq: { Queue, Worker } }",
    )
  }
  const mode = lanes ?? 'propagate'
  assertOneOf(`${WHERE}: lanes`, mode, ['propagate', 'isolate'])
  const missing = whenLaneMissing ?? 'base'
  assertOneOf(`${WHERE}: whenLaneMissing`, missing, ['base', 'fail'])
  const prefix = (worker['prefix'] as string | undefined) ?? 'bull'
  const { isCluster } = Object(worker['connection']) as { isCluster?: boolean }
  if (mode === 'isolate' && isCluster === true && !/\{.+\}/.test(prefix)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: prefix is ${describe(prefix)}; on a Redis cluster the queue and those of its lanes need a slot of their ` +
        "own: give prefix '{bull}' here and to the queue",
    )
  }
  return {
    classes: bullmq,
    lanes: createMessageLanes(WHERE, 'bullmq', given({ header, trust, propagate, tag })),
    isolate: mode === 'isolate',
    standsIn: missing === 'base',
    leaseMs: milliseconds('leaseMs', leaseMs ?? 3000, 100),
    lookMs: milliseconds('lookMs', lookMs ?? 300, 10),
    warn: warn ?? emitLanewayWarning,
    worker,
    queue: queueOptions(worker),
    prefix,
  }
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` when the queue of the lane cannot be named */
export function laneQueueName(queue: string, tag: string): string {
  if (isTag(tag)) return `${queue}_${tag}`
  throw new LanewayError('LANEWAY_INVALID_OPTION', `${WHERE}: ${describe(tag)} is no tag that names a queue`)
}

function queueOptions({ connection, prefix, skipVersionCheck }: Record<string, unknown>): Record<string, unknown> {
  return given({ connection, prefix, skipVersionCheck })
}

function milliseconds(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${WHERE}: ${name} is a number of milliseconds, at least ${least}, received ${describe(value)}`,
  )
}

function given(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
