import type { Series } from './prometheus.js'

/**
 * How much a counter grew from `start` to its last sample, resets included.
 *
 * PromQL's `increase` begins at the first sample of a series. The first error creates the series that counts it, so
 * `increase` would miss that error. Here a series without a sample at or before `start` counts from zero.
 *
 * @returns `undefined` when a sample is no finite number: the series is not reliable then
 */
export function growth(samples: Series['samples'], start: number): number | undefined {
  let previous = 0
  let total = 0
  for (const [at, value] of samples) {
    if (!Number.isFinite(value) || !Number.isFinite(at) || value < 0) return undefined
    if (at > start) total += value >= previous ? value - previous : value
    previous = value
  }
  return total
}

/** Newest sample of all series in seconds, `undefined` when there is none. */
export function newest(series: readonly Series[]): number | undefined {
  let latest: number | undefined
  for (const { samples } of series) {
    const at = samples.at(-1)?.[0]
    if (at !== undefined && (latest === undefined || at > latest)) latest = at
  }
  return latest
}
