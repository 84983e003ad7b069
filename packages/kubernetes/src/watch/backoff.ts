/**
 * Delay before attempt `turn` (from 0): doubles from `minMs` to `maxMs`, half to full of it at random, so that the
 * processes of a cluster do not come back to a restarted API server in one moment.
 */
export function backoffMs(turn: number, minMs: number, maxMs: number, random: () => number): number {
  return Math.min(minMs * 2 ** Math.min(turn, 30), maxMs) * (0.5 + random() / 2)
}
