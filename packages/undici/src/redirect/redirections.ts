import type { DispatchHandler, DispatchOptions, LaneableDispatcher } from '../dispatcher/dispatcher.js'
import type { Generation } from '../dispatcher/generation.js'
import { classNames, internal } from '../dispatcher/internals.js'
import { type Redirections, UNKNOWN_LIMIT } from './redirect-follower.js'

/**
 * How many redirects a dispatcher follows by itself, where a request does not say: `maxRedirections` of an Agent, a Client
 * or a ProxyAgent of undici 6, or interceptors among its options. Later majors have no such thing.
 *
 * @returns `hidden` for a dispatcher that shows nothing of the Agent inside it
 */
export function redirectionsOf(dispatcher: LaneableDispatcher, { legacy, modern }: Generation): Redirections {
  if (!legacy || modern) return 0
  for (const inner of ['proxy agent', 'no proxy agent', 'agent']) {
    const agent = internal(dispatcher, inner) as LaneableDispatcher | undefined
    if (typeof agent?.dispatch === 'function') return redirectionsOf(agent, { undici: '6', legacy, modern })
  }
  if (classNames(dispatcher)[0] === 'RetryAgent') return copiesOptions(dispatcher) ? UNKNOWN_LIMIT : 0
  const interceptors = internal(dispatcher, 'dispatch interceptors')
  if (!Array.isArray(interceptors)) return internal(dispatcher, 'clients') === undefined ? 'hidden' : 0
  return interceptors.length === 0 ? 0 : limitOf(interceptors)
}

/**
 * Asks the interceptors themselves, by a request that goes nowhere: what they hand on to follows redirects, and says how
 * many. Only where the text of one shows that it deals with them, since others have no use for a request of ours.
 */
function limitOf(interceptors: readonly unknown[]): Redirections {
  let asked: unknown
  let dispatch: unknown = (_options: DispatchOptions, handler: DispatchHandler) => {
    asked = handler
    return true
  }
  let deals = false
  try {
    for (const interceptor of interceptors.toReversed()) {
      dispatch = (interceptor as (inner: unknown) => unknown)(dispatch)
      deals ||= String(dispatch).includes('maxRedirections')
    }
    if (!deals) return 0
    ;(dispatch as (options: object, handler: object) => unknown)(PROBE, PROBE_HANDLER)
  } catch {
    return 'hidden'
  }
  const { maxRedirections } = Object(asked) as { maxRedirections?: unknown }
  return typeof maxRedirections === 'number' ? maxRedirections : 0
}

/**
 * A RetryAgent hides its Agent altogether. It copies the options of a request once itself, and an Agent that follows redirects
 * copies them twice more, before it refuses what has no origin.
 */
function copiesOptions(dispatcher: LaneableDispatcher): boolean {
  let copies = 0
  const options = { path: '/', method: 'GET', headers: {} }
  Object.defineProperty(options, Symbol('laneway.undici.probe'), { enumerable: true, get: () => copies++ })
  try {
    dispatcher.dispatch(options, PROBE_HANDLER)
  } catch {
    // Refused in another way.
  }
  return copies > 2
}

const PROBE = Object.freeze({ origin: 'http://laneway-probe.invalid', path: '/', method: 'GET', headers: {} })
const PROBE_HANDLER: DispatchHandler = {
  onConnect() {},
  onHeaders: () => true,
  onData: () => true,
  onComplete() {},
  onError() {},
}
