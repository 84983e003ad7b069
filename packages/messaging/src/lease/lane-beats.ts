import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneLease } from './lane-lease.js'

/** Where a lease is kept. */
export interface BeatOptions {
  /** Renews the lease. */
  readonly beat: () => Promise<void>
  /** Ends it at once. */
  readonly end: () => Promise<void>
  readonly leaseMs: number
  /** How old the view of base may be, in milliseconds. */
  readonly viewMs: number
  readonly failed: (error: Error) => void
}

/** Says that an instance of a lane lives, before it takes the first message and until it takes no more. */
export class LaneBeats implements LaneLease {
  readonly #options: BeatOptions
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #released = false

  constructor(options: BeatOptions) {
    this.#options = options
  }

  /** The instance is leaving, or has left. */
  get released(): boolean {
    return this.#released
  }

  async hold(): Promise<void> {
    const { leaseMs, viewMs, failed } = this.#options
    await this.#beatOnce()
    // Released meanwhile: a timer would keep the lease of a lane that nobody works for.
    if (this.#released) return
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#beatOnce().catch(failed), leaseMs / 3)
    await sleep(viewMs)
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#timer)
    await this.#beating?.catch(() => {})
    await this.#options.end()
  }

  /** A beat that waits for the connection is not joined by others. */
  #beatOnce(): Promise<void> {
    this.#beating ??= this.#options.beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }
}
