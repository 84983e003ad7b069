import { isDisabled } from '@laneway/core/internal'
import { warnOfCompetingLane } from '@laneway/messaging/internal'
import type { BullProcessor, BullWorker } from './bullmq.js'
import { isolatedWorker } from './isolation/isolated-worker.js'
import { assertProcessor, inLaneOfJob } from './lane-processor.js'
import { type LaneWorkerOptions, type LaneWorkerSettings, resolveLaneWorkerOptions } from './lane-worker-options.js'
import { detached, emitInLane } from './worker-context.js'

/**
 * Creates a worker of BullMQ that runs each job in its lane, none included. With `lanes: 'isolate'` exactly one side
 * handles each job: instances of the job's lane while one lives, else those of base.
 *
 * The result is a `Worker` of your BullMQ. In an instance of a lane it is that of the lane's queue (`mail_gray`); jobs
 * and events are those of the original queue on both sides. `close`, `pause` and `resume` concern all that belongs to it.
 *
 * Under `LANEWAY_DISABLE` with `all` or `bullmq` it is the worker of BullMQ, without isolation.
 *
 * @param name - the queue, the same in base and lane instances
 * @param processor - a function; a processor in a file cannot be wrapped
 * @param options - of BullMQ's `Worker`, and {@link LaneWorkerOptions}
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createLaneWorker<W extends BullWorker>(
  name: string,
  processor: BullProcessor,
  options: LaneWorkerOptions<W> & Record<string, unknown>,
): W {
  assertProcessor('createLaneWorker', processor)
  const settings = resolveLaneWorkerOptions(options)
  if (isDisabled(['bullmq'])) return new settings.classes.Worker(name, processor, settings.worker) as W
  return (settings.isolate ? isolatedWorker : propagatingWorker)(name, processor, settings) as W
}

function propagatingWorker(name: string, processor: BullProcessor, settings: LaneWorkerSettings): BullWorker {
  const { classes, lanes, warn, worker: options } = settings
  warnOfCompetingLane('bullmq', name, lanes.own, warn)
  const worker = detached(() => new classes.Worker(name, inLaneOfJob(processor, lanes), options))
  emitInLane(worker, lanes)
  return worker
}
