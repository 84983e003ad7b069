/** Calls `flush` soon after the first call of `schedule`, and then at most once in `gapMs`. */
export interface Coalescer {
  schedule(): void
  /** As `schedule`, in the next turn of the loop whatever the gap: the flush has more to do. */
  again(): void
  close(): void
}

/** @param gapMs - shortest time between two flushes; the first after a quiet time comes in the same turn of the loop */
export function createCoalescer(flush: () => void, gapMs: number): Coalescer {
  let immediate: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let last = Number.NEGATIVE_INFINITY
  function run(): void {
    immediate = undefined
    timer = undefined
    last = performance.now()
    flush()
  }
  return {
    schedule() {
      if (immediate !== undefined || timer !== undefined) return
      const wait = last + gapMs - performance.now()
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
