/**
 * Calls `flush` soon after the first call of `schedule`, and then after a pause of ten times what the last flush took: a
 * storm of changes costs a tenth of the time at most.
 */
export interface Coalescer {
  schedule(): void
  /** As `schedule`, in the next turn of the loop whatever the pause: the flush has more to do. */
  again(): void
  close(): void
}

const SHARE = 10

/** @param mostMs - longest pause; the first flush after a quiet time comes in the same turn of the loop */
export function createCoalescer(flush: () => void, mostMs: number): Coalescer {
  let immediate: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let next = Number.NEGATIVE_INFINITY
  function run(): void {
    immediate = undefined
    timer = undefined
    const began = performance.now()
    flush()
    const ended = performance.now()
    next = ended + Math.min(mostMs, SHARE * (ended - began))
  }
  return {
    schedule() {
      if (immediate !== undefined || timer !== undefined) return
      const wait = next - performance.now()
      if (wait <= 0) immediate = setImmediate(run)
      else timer = setTimeout(run, wait)
    },
    again() {
      clearTimeout(timer)
      timer = undefined
      immediate ??= setImmediate(run)
    },
    close() {
      clearImmediate(immediate)
      clearTimeout(timer)
    },
  }
}
