import { runInLane } from '@laneway/core'

/** The first pause after {@link NamesFollower.hurry}; each further one is twice as long. */
const HURRY_MS = 250

/** Reads a list of names again and again. */
export interface NamesFollower {
  /**
   * Reads the list more often for a while, because a service is asked for that the list does not have, or has in another
   * spelling. Services of one system often start at the same moment.
   */
  hurry(): void
  stop(): void
}

/**
 * Reports the names that `read` gives, and again when they have changed. After a failure the names that were known stay.
 *
 * @param intervalMs - the longest pause between two reads, without the random part of up to half as much
 * @param failed - called after each read that failed
 * @param onDemand - the first read waits for {@link NamesFollower.hurry}
 */
export function followNames(
  read: () => Promise<ReadonlySet<string>>,
  changed: (names: ReadonlySet<string>) => void,
  intervalMs: number,
  failed: (error: unknown) => void = () => {},
  onDemand = false,
  random: () => number = Math.random,
): NamesFollower {
  let timer: NodeJS.Timeout | undefined
  let pauseMs = intervalMs
  let reading = false
  let stopped = false
  let waiting = onDemand
  let known: ReadonlySet<string> | undefined

  async function turn(): Promise<void> {
    timer = undefined
    reading = true
    try {
      const names = await read()
      if (!stopped && (known === undefined || !sameNames(known, names))) {
        known = names
        changed(names)
      }
    } catch (error) {
      if (!stopped) failed(error)
      // A lost registry is reported for each service; the list is read again soon, for it may be the first.
      if (known === undefined) pauseMs = Math.min(pauseMs, 4 * HURRY_MS)
    }
    reading = false
    schedule()
  }

  function schedule(): void {
    if (stopped || reading) return
    clearTimeout(timer)
    timer = setTimeout(() => void turn(), pauseMs * (1 + random() / 2)).unref()
    pauseMs = Math.min(intervalMs, pauseMs * 2)
  }

  // The first listener may be inside a request; the reads go on after it, in no lane.
  if (!onDemand) void runInLane(undefined, turn)
  return {
    hurry() {
      pauseMs = Math.min(HURRY_MS, intervalMs)
      if (waiting) void runInLane(undefined, turn)
      else schedule()
      waiting = false
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false
  for (const name of a) if (!b.has(name)) return false
  return true
}
