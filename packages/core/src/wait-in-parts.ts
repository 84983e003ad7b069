/**
 * A program that computes for long finds its timer over before it can see what has come meanwhile, since Node runs timers
 * before sockets. Of a time in parts it loses one part only.
 */
const PARTS = 8

/**
 * Waits for something from outside for a time at most; time in which this process did nothing else than compute counts
 * little.
 *
 * @param late - called when the time is over
 * @returns ends the wait
 */
export function waitInParts(ms: number, late: () => void): () => void {
  let left = PARTS
  const pass = (): void => {
    if (--left > 0) timer = setTimeout(pass, ms / PARTS)
    else late()
  }
  let timer = setTimeout(pass, ms / PARTS)
  return () => clearTimeout(timer)
}
