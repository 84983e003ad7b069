/**
 * Node runs timers before sockets. A program that computes for long therefore sees its timer fire before the answer that
 * has arrived meanwhile. With the time in parts, one part is lost and not all of it.
 */
const PARTS = 8

/**
 * Waits at most this long for an answer from the network. Time in which this process only computes counts little.
 *
 * @param late - called when the time is up
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
