/** A signal with an end. */
export interface LimitedSignal {
  readonly signal: AbortSignal
  /** Ends the wait for the limit. */
  release(): void
}

/**
 * A signal that aborts with another one, or after a time with what `AbortSignal.timeout()` gives. On Node 20 nothing holds
 * the timeout in `AbortSignal.any([other, AbortSignal.timeout(ms)])`: once it was collected, the signal never aborts.
 *
 * @param ms - does not keep the process alive
 */
export function limitedSignal(other: AbortSignal | undefined, ms: number): LimitedSignal {
  const controller = new AbortController()
  const abort = () => controller.abort(other?.reason)
  const timer = setTimeout(() => controller.abort(new DOMException('the time is over', 'TimeoutError')), ms)
  timer.unref()
  if (other?.aborted === true) abort()
  else other?.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer)
      other?.removeEventListener('abort', abort)
    },
  }
}
