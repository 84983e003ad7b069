import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneLease } from '@laneway/messaging/internal'
import type { BullWorker } from '../bullmq.js'
import type { LaneWorkerSettings } from '../lane-worker-options.js'
import { viewMs } from './lane-sight.js'
import type { Leases } from './leases.js'

/** An instance of a lane under isolation: says that it lives, before it takes the first job and until it takes no more. */
export class LaneSide implements LaneLease {
  readonly #lane: string
  readonly #leases: Leases
  readonly #settings: LaneWorkerSettings
  readonly #paused: (paused: boolean) => unknown
  readonly #failed: (error: Error) => void
  readonly #instance = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #released = false

  /** @param paused - told with each beat whether the queue is paused for everybody */
  constructor(
    lane: string,
    leases: Leases,
    settings: LaneWorkerSettings,
    paused: (paused: boolean) => unknown,
    failed: (error: Error) => void,
  ) {
    this.#lane = lane
    this.#leases = leases
    this.#settings = settings
    this.#paused = paused
    this.#failed = failed
  }

  async hold(): Promise<void> {
    const { leaseMs, lookMs } = this.#settings
    await this.#beatOnce()
    // Released meanwhile: a timer would keep the lease of a lane that nobody works for.
    if (this.#released) return
    this.#timer = setInterval(() => this.#beatOnce().catch(this.#failed), leaseMs / 3)
    await sleep(viewMs(lookMs))
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#timer)
    await this.#beating?.catch(() => {})
    await this.#leases.release(this.#lane, this.#instance)
  }

  /** A beat that waits for the connection is not joined by others. */
  #beatOnce(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beat(): Promise<void> {
    const paused = await this.#leases.hold(this.#lane, this.#instance, this.#settings.leaseMs)
    if (!this.#released) this.#paused(paused)
  }
}

/** Pauses or resumes a worker of a lane's queue as the original queue is. */
export function follow(worker: Pick<BullWorker, 'isPaused' | 'pause' | 'resume'>, paused: boolean): void {
  if (worker.isPaused() === paused) return
  if (paused) worker.pause(true).catch(() => {})
  else worker.resume()
}
