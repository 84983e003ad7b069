/** Middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** @param q - 0 to 1, interpolated between neighbours */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = Float64Array.from(values).sort()
  const position = (sorted.length - 1) * q
  const low = Math.floor(position)
  const high = Math.ceil(position)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (position - low)
}

/** A reproducible stream of numbers from 0 to 1, for inputs and resampling. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An interval that holds the true median of a group of groups in 95 of 100 cases, by resampling. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * The percentile bootstrap of the median, in two levels: first whole groups (fresh processes, which differ from each
 * other more than their blocks do), then the values inside each.
 */
export function bootstrapMedian(groups: readonly (readonly number[])[], resamples = 2000, seed = 1): Interval {
  const random = seeded(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const medians: number[] = []
  for (let n = 0; n < resamples; n++) {
    const drawn: number[] = []
    for (let g = 0; g < groups.length; g++) {
      const group = pick(groups)
      for (let i = 0; i < group.length; i++) drawn.push(pick(group))
    }
    medians.push(median(drawn))
  }
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}
