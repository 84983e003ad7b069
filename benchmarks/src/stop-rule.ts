/** What the pairs of processes so far say about a change. */
export interface Decision {
  /** `open`: more pairs may tell. */
  readonly verdict: 'slower' | 'faster' | 'no difference' | 'open'
  /** Of the costs after to those before: the middle, and what bounds it. */
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/** Fewer pairs say nothing about how far pairs are apart. */
const FEWEST_PAIRS = 5
/** A change of less is none: both bounds inside end the run. */
const MARGIN = 0.015

/**
 * Quantiles of Student's t for a two-sided level of 0.8 %, by degrees of freedom from 4. After every pair there is a
 * look, and each look may err: with this level at each, one run of twenty calls a tree slower or faster that is neither.
 */
const QUANTILES = [4.91, 4.22, 3.83, 3.58, 3.41, 3.28, 3.19, 3.11, 3.05, 3.0, 2.96, 2.92, 2.89, 2.87, 2.84, 2.82, 2.81]

/**
 * The stop rule of a quick comparison. Pairs of processes are compared as wholes: two processes of the same program differ
 * more than the blocks inside one do.
 *
 * @param ratios - of each pair of processes, after to before
 */
export function decide(ratios: readonly number[]): Decision {
  const logs = ratios.map(Math.log)
  const { length } = logs
  const mean = logs.reduce((sum, one) => sum + one, 0) / length
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (length - 1)
  const quantile = QUANTILES[length - FEWEST_PAIRS] ?? QUANTILES.at(-1)!
  const half = length < FEWEST_PAIRS ? Number.POSITIVE_INFINITY : quantile * Math.sqrt(variance / length)
  const low = Math.exp(mean - half)
  const high = Math.exp(mean + half)
  return { verdict: verdictOf(low, high), ratio: Math.exp(mean), low, high }
}

function verdictOf(low: number, high: number): Decision['verdict'] {
  if (low > 1) return 'slower'
  if (high < 1) return 'faster'
  return low > 1 - MARGIN && high < 1 + MARGIN ? 'no difference' : 'open'
}
