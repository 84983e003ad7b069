import { channel } from 'node:diagnostics_channel'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { decisionOf } from './ingress.js'

/** Answers that are looked at: a mistake of this kind shows at once, and later answers shall cost nothing. */
const MOST_ANSWERS = 1000

/** How it is mounted right, of each framework in this process. */
const mounts = new Set<string>()
/** The servers of frameworks that know theirs; `everyServer` once one does not. */
const servers = new WeakSet<object>()
let everyServer = false
let state: 'idle' | 'watching' | 'over' = 'idle'

/**
 * Gives one hint when a tagged request was answered and no ingress has seen it: the middleware is mounted behind the
 * handlers, or beside them. Looks at the first 1,000 answers of the process. Refusals do not count: a framework may give
 * them before any middleware, and so may one that guards the entrance.
 *
 * @param mount - how it is mounted right, for the message
 * @param server - the only one whose answers count; without it those of every server in the process do
 */
export function hintAtLateMiddleware(
  header: string,
  mount: string,
  warn: Warn = emitLanewayWarning,
  server?: object,
): void {
  mounts.add(mount)
  if (server === undefined) everyServer = true
  else servers.add(server)
  if (state !== 'idle') return
  state = 'watching'
  const finished = channel('http.server.response.finish')
  let answers = 0
  const look = (message: unknown): void => {
    const { request, response } = Object(message) as {
      request?: { headers?: Record<string, unknown>; socket?: { server?: object } }
      response?: { statusCode?: number }
    }
    if (!everyServer && !servers.has(Object(request?.socket?.server))) return
    const tagged = request?.headers?.[header] !== undefined && Number(response?.statusCode) < 400
    const late = tagged && decisionOf(request) === undefined
    if (late || ++answers >= MOST_ANSWERS) {
      state = 'over'
      finished.unsubscribe(look)
    }
    if (!late) return
    try {
      warn(
        `a request with ${header} was answered without its lane, because a handler answered before the middleware of ` +
          `Laneway, or outside of it: ${[...mounts].join('; ')}`,
      )
    } catch {
      // Called while a response ends, which must not fail because of a hint.
    }
  }
  finished.subscribe(look)
}
