/** The play's time: milliseconds of the cluster, which may pass faster than real ones. */
export interface Clock {
  /** Milliseconds since the play began. */
  now(): number
  /** The date in the cluster. */
  date(): Date
  /** Calls back once. @returns what forgets it */
  after(ms: number, callback: () => void): () => void
}

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/**
 * Time that passes `speed` times as fast as real time. Every fixed wait of the controllers goes through here, so one
 * factor scales them all. What is due is called in the order and at the time at which it was due, also on a machine that
 * lags: the controllers do the same on every machine.
 */
export function createClock(speed: number): Clock {
  const started = Date.now()
  const timers: Timer[] = []
  let alarm: NodeJS.Timeout | undefined
  const real = () => (Date.now() - started) * speed
  let due: number | undefined
  const now = () => due ?? real()

  function ring(): void {
    while (timers.length > 0 && timers[0]!.at <= real()) {
      const timer = timers.shift()!
      due = timer.at
      timer.callback()
    }
    due = undefined
    setAlarm()
  }

  function setAlarm(): void {
    clearTimeout(alarm)
    if (timers.length > 0) alarm = setTimeout(ring, (timers[0]!.at - real()) / speed)
  }

  return {
    now,
    date: () => new Date(started + now()),
    after(ms, callback) {
      const timer: Timer = { at: now() + ms, callback }
      const later = timers.findIndex(one => one.at > timer.at)
      timers.splice(later === -1 ? timers.length : later, 0, timer)
      if (timers[0] === timer && due === undefined) setAlarm()
      return () => {
        const index = timers.indexOf(timer)
        if (index !== -1) timers.splice(index, 1)
      }
    },
  }
}
