import type { DispatchController, DispatchHandler } from '../dispatcher/dispatcher.js'
import type { ServiceHop } from './service-hop.js'

/**
 * Waits until the sources have answered about a service, as long as the resolver allows. The handler is told of a start, so that the
 * caller can give up meanwhile; the real start follows, as it does when a retry starts again.
 *
 * @param proceed - told why the wait was in vain, or nothing
 * @param fail - told that the caller gave up
 */
export function waitUntilReady(
  hop: ServiceHop,
  handler: DispatchHandler,
  modern: boolean,
  proceed: (error?: unknown) => void,
  fail: (error: unknown) => void,
): void {
  let ended = false
  const end = (error: unknown): void => {
    if (ended) return
    ended = true
    fail(error)
  }
  const controller = new WaitingController(end)
  try {
    if (modern) handler.onRequestStart?.(controller, {})
    else handler.onConnect?.(reason => controller.abort(reason), {})
  } catch (error) {
    // As in undici: the request ends with what its handler throws.
    end(error)
  }
  if (ended) return
  let answer: Promise<void>
  try {
    answer = hop.lookup()
  } catch (error) {
    ended = true
    throw error
  }
  answer.then(
    () => {
      if (ended) return
      ended = true
      proceed()
    },
    error => {
      if (ended) return
      ended = true
      proceed(error)
    },
  )
}

class WaitingController implements DispatchController {
  aborted = false
  reason: unknown = null
  paused = false
  rawHeaders: unknown = null
  rawTrailers: unknown = null

  constructor(private readonly end: (reason: unknown) => void) {}

  abort(reason?: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason ?? aborted()
    this.end(this.reason)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }
}

function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' })
}
