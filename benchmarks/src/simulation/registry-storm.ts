import { backoffMs } from '@laneway/core/internal'

// As in `Connection` and `Redo` of @laneway/nacos, whose pauses the function above is.
const STEP_MS = 100
const LONGEST_MS = 5000
/** Connecting: the check of the server, and the set-up of the stream. */
const HANDSHAKE_CALLS = 2
const PARALLEL = 8
/** One call on an idle network. */
const ROUND_TRIP_MS = 2

export interface Storm {
  readonly clients: number
  readonly services: number
  /** Subscriptions of one client. */
  readonly each: number
  /** How long the registry was away. */
  readonly downMs: number
  /** Each pause after the other without jitter, to see what it is worth. */
  readonly jitter: boolean
}

export interface StormFigures {
  readonly calls: number
  /** From the return of the registry to the last call. */
  readonly windowMs: number
  readonly peakPerSecond: number
  readonly meanPerSecond: number
  /** Services that somebody subscribed again. */
  readonly services: number
}

/**
 * Clients that lost their registry in one moment and come back to it: each tries again with the pauses of the client, and
 * once it is connected renews all its subscriptions. Time is simulated.
 */
export function simulateStorm({ clients, services, each, downMs, jitter }: Storm, random: () => number): StormFigures {
  const calls: number[] = []
  const subscribed = new Set<number>()
  for (let client = 0; client < clients; client++) {
    let at = 0
    // The first attempt comes at once and finds nobody.
    for (let turn = 0; at < downMs; turn++)
      at += backoffMs(turn, STEP_MS, LONGEST_MS, jitter ? random : () => 1, 'linear')
    at -= downMs
    for (let call = 0; call < HANDSHAKE_CALLS; call++) {
      at += ROUND_TRIP_MS
      calls.push(at)
    }
    for (let i = 0; i < each; i++) {
      subscribed.add(Math.floor(random() * services))
      if (i % PARALLEL === 0) at += ROUND_TRIP_MS
      calls.push(at)
    }
  }
  calls.sort((a, b) => a - b)
  const windowMs = Math.max(1000, calls.at(-1)!)
  let peak = 0
  for (let first = 0, last = 0; last < calls.length; last++) {
    while (calls[last]! - calls[first]! > 1000) first++
    peak = Math.max(peak, last - first + 1)
  }
  return {
    calls: calls.length,
    windowMs,
    peakPerSecond: peak,
    meanPerSecond: (calls.length / windowMs) * 1000,
    services: subscribed.size,
  }
}
