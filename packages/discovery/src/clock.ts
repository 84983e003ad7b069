/** Where durations are measured. */
export interface Clock {
  /** Milliseconds from any origin, never going back. */
  now(): number
  /** An injected clock has no timers of its own, so it is asked instead. */
  readonly injected: boolean
}

/** @param now - milliseconds; without it `performance.now` */
export function createClock(now?: () => number): Clock {
  return now === undefined ? { now: () => performance.now(), injected: false } : { now, injected: true }
}
