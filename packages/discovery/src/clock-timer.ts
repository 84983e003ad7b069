import type { Clock } from './clock.js'

/**
 * Calls a function when the clock has reached a time. The timer holds no process open. An injected clock has no timers, so
 * whoever picks asks `polls` and calls `check`.
 */
export class ClockTimer {
  /** Whether `check` has to be called, because the clock is an injected one. */
  polls = false
  readonly #clock: Clock
  readonly #due: (now: number) => void
  #at = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock, due: (now: number) => void) {
    this.#clock = clock
    this.#due = due
  }

  get waits(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY
  }

  /** @param at - on the clock, milliseconds; infinite for never */
  plan(at: number): void {
    this.#at = at
    const { waits } = this
    this.polls = waits && this.#clock.injected
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!waits || this.#clock.injected) return
    // Timers count from the start of a turn of the event loop, so after a long one they are early.
    this.#timer = setTimeout(
      () => {
        if (this.#clock.now() < this.#at) this.plan(this.#at)
        else this.check()
      },
      at - this.#clock.now() + 1,
    )
    this.#timer.unref()
  }

  /** Calls the function if it is time. It plans again, or not. */
  check(): void {
    const now = this.#clock.now()
    if (now >= this.#at) this.#due(now)
  }
}
