/** The play's time: milliseconds of the cluster, which may pass faster than real ones. */
export interface Clock {
  /** Milliseconds since the play began. */
  now(): number
  /** The date in the cluster. */
  date(): Date
  /** Calls back once. @returns what forgets it */
  after(ms: number, callback: () => void): () => void
}

/**
 * Time that passes `speed` times as fast as real time. Every fixed wait of the controllers goes through here, so one
 * factor scales them all.
 */
export function createClock(speed: number): Clock {
  const started = Date.now()
  const now = () => (Date.now() - started) * speed
  return {
    now,
    date: () => new Date(started + now()),
    after(ms, callback) {
      const timer = setTimeout(callback, ms / speed)
      return () => clearTimeout(timer)
    },
  }
}
