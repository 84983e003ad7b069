import type { Series } from './prometheus.js'

/**
 * A quantile of a classic histogram, interpolated inside the bucket as `histogram_quantile` does; but where that
 * answers with the highest finite bound, this says `Infinity`: two lanes beyond the last bucket are not equal.
 *
 * @param buckets - one series per `le`, cumulative
 * @returns `undefined` without observations, without the bucket `+Inf`, or with numbers that are none
 */
export function quantileOf(buckets: readonly Series[], quantile: number): number | undefined {
  const rows: { bound: number; count: number }[] = []
  for (const { labels, samples } of buckets) {
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'] ?? Number.NaN)
    const count = samples.at(-1)?.[1] ?? Number.NaN
    if (Number.isNaN(bound) || !Number.isFinite(count) || count < 0) return undefined
    rows.push({ bound, count })
  }
  rows.sort((a, b) => a.bound - b.bound)
  const total = rows.at(-1)
  if (total === undefined || total.bound !== Number.POSITIVE_INFINITY || !(total.count > 0)) return undefined
  const rank = quantile * total.count
  let below = { bound: 0, count: 0 }
  for (const row of rows) {
    // Extrapolation can leave a bucket a little under its predecessor.
    const count = Math.max(row.count, below.count)
    if (count >= rank) {
      if (row.bound === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
      return below.bound + (row.bound - below.bound) * ((rank - below.count) / (count - below.count || 1))
    }
    below = { bound: row.bound, count }
  }
  return Number.POSITIVE_INFINITY
}
