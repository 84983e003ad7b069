import {
  createMessageLanes,
  giveAtFirstCall,
  type MessageLanes,
  type MessagePatch,
  type MessagePatchOptions,
  warnOfCompetingLane,
} from '@laneway/messaging/internal'
import type { BullClasses, BullProcessor, BullWorker } from './bullmq.js'
import { isolatedWorker } from './isolation/isolated-worker.js'
import { hasLanes, inLaneOfJob } from './lane-processor.js'
import { isTagging, tagFlowProducer, tagQueue } from './lane-queue.js'
import { resolveLaneWorkerOptions } from './lane-worker-options.js'
import { emitInLane } from './worker-context.js'

/** A worker that the application makes. */
interface PlainWorker extends BullWorker {
  processFn?: BullProcessor
  readonly opts: Record<string, unknown>
  /** Of a processor in a file. */
  readonly childPool?: unknown
}

/**
 * For a preload: gives lanes to queues, flow producers and workers of BullMQ 5 and 6, whose prototypes it is given. Loads
 * none of it.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createMessagePatch(options: MessagePatchOptions): MessagePatch {
  const { isolates, fault, warn, ...messages } = options
  const lanes = createMessageLanes('laneway', 'bullmq', messages)
  return prototype => {
    if ('callProcessJob' in prototype) patchWorker(prototype, lanes, options)
    else {
      const give = 'upsertJobScheduler' in prototype ? tagQueue : tagFlowProducer
      giveAtFirstCall(prototype, ['add', 'addBulk', 'upsertJobScheduler'], isTagging, one => give(one, lanes), fault)
    }
  }
}

/** A worker runs before its constructor returns, and what it does with jobs is known by then. */
function patchWorker(
  prototype: object,
  lanes: MessageLanes,
  { isolates, fault, warn, ...messages }: MessagePatchOptions,
): void {
  const given = new WeakSet<object>()
  const has = (worker: object): boolean => {
    const { processFn } = worker as PlainWorker
    return given.has(worker) || processFn === undefined || hasLanes(processFn)
  }
  const give = (one: object): void => {
    const worker = one as PlainWorker
    const { name, processFn, opts } = worker
    given.add(worker)
    if (isolates(name)) {
      try {
        const classes = classesOf(prototype)
        if (worker.childPool !== undefined)
          throw new Error('its processor is a file, which runs in a process of its own')
        const settings = resolveLaneWorkerOptions({ ...opts, ...messages, warn, bullmq: classes, lanes: 'isolate' })
        isolatedWorker(name, processFn!, settings, worker)
        return
      } catch (error) {
        warn(`bullmq: "${name}" is not isolated, its jobs only carry their lanes: ${(error as Error).message}`)
      }
    }
    warnOfCompetingLane('bullmq', name, lanes.own, warn)
    worker.processFn = inLaneOfJob(processFn!, lanes)
    emitInLane(worker, lanes)
  }
  giveAtFirstCall(prototype, ['run', 'waitUntilReady', 'close'], has, give, fault)
}

type QueueBase = new (
  name: string,
  options: object,
) => { Job: Record<'create' | 'fromId', (...args: unknown[]) => Promise<unknown>> }

/** The classes of the copy that a worker is of. It may be an ES module, so its exports cannot be reached. */
function classesOf(prototype: object): BullClasses {
  const Base = (Object.getPrototypeOf(prototype) as { constructor: QueueBase }).constructor
  class Queue extends Base {
    add(...args: unknown[]): Promise<unknown> {
      return this.Job.create(this, ...args)
    }

    getJob(id: string): Promise<unknown> {
      return this.Job.fromId(this, id)
    }
  }
  return { Worker: prototype.constructor, Queue } as unknown as BullClasses
}
