import { runInLane } from '@laneway/core'
import type { MessageLanes } from '@laneway/messaging/internal'
import type { BullJob, BullWorker } from './bullmq.js'
import { laneOfJob } from './lane-processor.js'

/** Runs what makes a worker in no lane: its loops and timers outlive the request that happens to make it. */
export function detached<R>(make: () => R): R {
  return runInLane(undefined, make)
}

/** Makes the listeners of a job's events run in the lane of the job. */
export function emitInLane(worker: BullWorker, lanes: MessageLanes): void {
  const emit = worker.emit.bind(worker)
  worker.emit = (event: string, ...args: any[]): boolean => {
    const opts = (Object(args[0]) as { opts?: unknown }).opts
    if (typeof opts !== 'object' || opts === null) return emit(event, ...args)
    return runInLane(laneOfJob(lanes, args[0] as BullJob), emit, event, ...args)
  }
}
