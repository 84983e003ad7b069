/**
 * Delay before attempt `turn` (from 0): grows by `stepMs` a turn up to `maxMs`, halved to full at random, so that a fleet
 * does not come back to a restarted server in one moment.
 */
export function backoffMs(turn: number, stepMs: number, maxMs: number, random: () => number): number {
  return Math.min((turn + 1) * stepMs, maxMs) * (0.5 + random() / 2)
}
