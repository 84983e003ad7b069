import { type Lane, LanewayError, runInLane } from '@laneway/core'
import { describe, isDisabled } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, type MessageDecision, type MessageLanes } from '@laneway/messaging/internal'
import type { BullJob, BullProcessor } from './bullmq.js'

/**
 * A processor that runs each job in the lane of the job; a job without a lane runs in none, wherever the worker was made.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, also for a processor in a file: it runs in a process of its own
 */
export function laneProcessor<P extends BullProcessor>(processor: P, options: MessageOptions = {}): P {
  if (isDisabled(['bullmq'])) return processor
  assertProcessor('laneProcessor', processor)
  return inLaneOfJob(processor, createMessageLanes('laneProcessor', 'bullmq', options))
}

/** What {@link laneProcessor} does, once the options are read. */
export function inLaneOfJob<P extends BullProcessor>(processor: P, lanes: MessageLanes): P {
  return like(processor, (job, token, signal) => {
    const decision = decide(lanes, job)
    lanes.report(job.queueName, decision, lanes.outcomeOf(decision))
    return runInLane(decision.lane, processor, job, token, signal)
  })
}

/** What was decided for a job. An event may come before the processor, which must see what was refused, too. */
const decided = new WeakMap<object, MessageDecision>()

/** The lane that a job runs in, or ran in. */
export function laneOfJob(lanes: MessageLanes, job: BullJob): Lane | undefined {
  return decide(lanes, job).lane
}

/** Decides the lane of a job, once, and removes from it what was refused. */
export function decide(lanes: MessageLanes, job: BullJob): MessageDecision {
  const before = decided.get(job)
  if (before !== undefined) return before
  const decision = lanes.incoming(job.opts, job)
  decided.set(job, decision)
  return decision
}

/** Set on a processor of Laneway. Registered: two copies of this package may meet one worker. */
const kLanes = Symbol.for('laneway.bullmq.processor')

/** Whether a processor runs jobs in their lanes already. */
export const hasLanes = (processor: object): boolean => kLanes in processor

/** BullMQ makes a signal only for a processor that takes three parameters. */
export function like<P extends BullProcessor>(processor: P, replacement: BullProcessor): P {
  return Object.defineProperties(replacement, {
    name: { value: processor.name, configurable: true },
    length: { value: processor.length, configurable: true },
    [kLanes]: { value: true },
  }) as P
}

export function assertProcessor(where: string, processor: unknown): void {
  if (typeof processor === 'function') return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where}: the processor is a function, received ${describe(processor)}; a processor in a file runs in a process of ` +
      'its own, where job.opts has the lane',
  )
}
