import { median } from './statistics.js'

/** What a figure did between two trees. */
export type Change = 'more' | 'less' | 'none'

/** Figures that say how much was measured, or what the other side of a pair costs, or of which more is better. */
const NO_COSTS = /^(calls|pairs|window ms|throughput.*|.*calls\/s|off µs|without .*|ordinary µs|.* (low|high))$/

/** Whether more of a figure is worse. */
export function isCost(figure: string): boolean {
  return !NO_COSTS.test(figure)
}

/**
 * Whether a figure changed by more than its spread: every round of one side lies beyond every round of the other, and
 * the middle difference of the rounds is larger than their differences are apart.
 *
 * @param before - round by round
 * @param after - the same rounds
 */
export function changeOf(before: readonly number[], after: readonly number[]): Change {
  const differences = after.map((value, at) => value - before[at]!)
  const spread = Math.max(...differences) - Math.min(...differences)
  const middle = median(differences)
  if (!(Math.abs(middle) > spread)) return 'none'
  if (Math.min(...after) > Math.max(...before)) return 'more'
  return Math.max(...after) < Math.min(...before) ? 'less' : 'none'
}
