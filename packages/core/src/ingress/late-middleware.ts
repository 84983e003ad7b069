import { channel } from 'node:diagnostics_channel'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { decisionOf } from './ingress.js'

/** Answers that are looked at: a mistake of this kind shows at once, and later answers shall cost nothing. */
const MOST_ANSWERS = 1000

let watching = false

/**
 * Gives one hint when a tagged request was answered and no ingress has seen it: the middleware is mounted behind the
 * handlers. Looks at the first 1,000 answers of the process.
 *
 * @param mount - how it is mounted right, for the message
 */
export function hintAtLateMiddleware(header: string, mount: string, warn: Warn = emitLanewayWarning): void {
  if (watching) return
  watching = true
  const finished = channel('http.server.response.finish')
  let answers = 0
  const look = (message: unknown): void => {
    const { request } = Object(message) as { request?: { headers?: Record<string, unknown>; url?: string } }
    const late = request?.headers?.[header] !== undefined && decisionOf(request) === undefined
    if (late || ++answers >= MOST_ANSWERS) {
      watching = false
      finished.unsubscribe(look)
    }
    if (!late) return
    try {
      warn(
        `a request with ${header} was answered without its lane, because a handler answered before the middleware of ` +
          `Laneway: ${mount}`,
      )
    } catch {
      // Called while a response ends, which must not fail because of a hint.
    }
  }
  finished.subscribe(look)
}
