/** How a back-off grows: each delay is twice the one before, or longer than it by the first one. */
export type BackoffGrowth = 'doubling' | 'linear'

/**
 * The delay before a further attempt. It grows up to a limit. With `random`, each delay is drawn from its upper half, so
 * that the processes of a fleet do not come back to a restarted server in one moment.
 *
 * @param turn - failures in a row before this attempt, from 0
 * @param firstMs - delay of turn 0
 * @param mostMs - the limit
 * @param random - like `Math.random`. @default no spread
 * @param growth - @default 'doubling'
 * @returns milliseconds
 */
export function backoffMs(
  turn: number,
  firstMs: number,
  mostMs: number,
  random?: () => number,
  growth: BackoffGrowth = 'doubling',
): number {
  // 2^30 times a millisecond is 12 days; more would only lose precision.
  const delayMs = growth === 'linear' ? (turn + 1) * firstMs : firstMs * 2 ** Math.min(turn, 30)
  const limitedMs = Math.min(delayMs, mostMs)
  return random === undefined ? limitedMs : limitedMs * (0.5 + random() / 2)
}
