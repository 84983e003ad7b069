import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { LaneBeats, viewMs } from '@laneway/messaging/internal'
import type { BullWorker } from '../bullmq.js'
import type { LaneWorkerSettings } from '../lane-worker-options.js'
import type { Leases } from './leases.js'

/**
 * The lease of an instance of a lane under isolation.
 *
 * @param paused - told with each beat whether the queue is paused for everybody
 */
export function laneLease(
  lane: string,
  leases: Leases,
  { leaseMs, lookMs }: LaneWorkerSettings,
  paused: (paused: boolean) => unknown,
  failed: (error: Error) => void,
): LaneBeats {
  const instance = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  const lease = new LaneBeats({
    async beat() {
      const isPaused = await leases.hold(lane, instance, leaseMs)
      if (!lease.released) paused(isPaused)
    },
    end: () => leases.release(lane, instance),
    leaseMs,
    viewMs: viewMs(lookMs),
    failed,
  })
  return lease
}

/** Pauses or resumes a worker of a lane's queue as the original queue is. */
export function follow(worker: Pick<BullWorker, 'isPaused' | 'pause' | 'resume'>, paused: boolean): void {
  if (worker.isPaused() === paused) return
  if (paused) worker.pause(true).catch(() => {})
  else worker.resume()
}
