import type { Row } from './case.js'

/** A row with a subject: start of a process, warm-up, samples, five looks at the heap. */
const SUBJECT_SECONDS = 0.8
/** A row that measures by itself, mostly pairs of processes. */
const MEASURED_SECONDS = 8

/** About how long rows take, in seconds, on a machine that has nothing else to do. */
export function estimateSeconds(rows: readonly Row[], rounds: number): number {
  let seconds = 0
  for (const row of rows) {
    const one = row.seconds ?? (row.subject === undefined ? MEASURED_SECONDS : SUBJECT_SECONDS)
    seconds += one * Math.min(row.rounds ?? rounds, rounds)
  }
  return seconds
}

/** `40 s`, `14 min`. */
export function durationText(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}
