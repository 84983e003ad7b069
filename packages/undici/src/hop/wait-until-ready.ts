import type { DispatchController, DispatchHandler } from '../dispatcher/dispatcher.js'
import type { ServiceHop } from './service-hop.js'

/**
 * Waits until the sources have answered about a service, as long as the resolver allows. The handler is notified of a start
 * first, so that the caller can abort meanwhile. The real start follows, as when a retry starts again.
 *
 * @param proceed - called after the answer, with the reason when the wait was in vain
 * @param fail - called when the caller aborts
 */
export function waitUntilReady(
  hop: ServiceHop,
  handler: DispatchHandler,
  modern: boolean,
  proceed: (error?: unknown) => void,
  fail: (error: unknown) => void,
): void {
  let ended = false
  const abort = (error: unknown): void => {
    if (ended) return
    ended = true
    fail(error)
  }
  const finish = (error?: unknown): void => {
    if (ended) return
    ended = true
    proceed(error)
  }
  const controller = new WaitingController(abort)
  try {
    if (modern) handler.onRequestStart?.(controller, {})
    else handler.onConnect?.(reason => controller.abort(reason), {})
  } catch (error) {
    // As in undici: the request ends with the error that its handler throws.
    abort(error)
  }
  if (ended) return
  let answer: Promise<void>
  try {
    answer = hop.lookup()
  } catch (error) {
    ended = true
    throw error
  }
  answer.then(() => finish(), finish)
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
    this.reason = reason ?? requestAborted()
    this.end(this.reason)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }
}

function requestAborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' })
}
