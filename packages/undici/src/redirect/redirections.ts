import type { DispatchHandler, DispatchOptions, LaneableDispatcher } from '../dispatcher/dispatcher.js'
import type { Generation } from '../dispatcher/generation.js'
import { classNames, internal } from '../dispatcher/internals.js'

/** How often redirects are followed; `hidden` when only the first connection shows whether they are. */
export type Redirections = number | 'hidden'

/** As many as `fetch` follows: for a dispatcher that follows redirects and does not show how many. */
export const UNKNOWN_LIMIT = 20

/**
 * How many redirects a dispatcher follows by itself, where a request does not say: `maxRedirections` of an Agent, a Client
 * or a ProxyAgent of undici 6, or interceptors among its options. Later majors do not.
 *
 * @returns `hidden` for a dispatcher that does not show the Agent inside it
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

/** How many redirects undici 6 would follow below. A value that is no number is left to undici, which refuses it. */
export function redirectionsOfCall(route: RedirectingRoute, options: DispatchOptions): Redirections {
  const { redirections, generation } = route
  const asked = options['maxRedirections']
  if (asked === undefined || generation.modern) return redirections
  return typeof asked === 'number' && asked > 0 && Number.isInteger(asked) ? asked : 0
}

interface RedirectingRoute {
  readonly redirections: Redirections
  readonly generation: Generation
}

/**
 * Asks the interceptors themselves, by a request that goes nowhere: the handler that they hand on follows redirects, and says
 * how many. Only where the source text of one mentions redirects, so that other interceptors see no request of Laneway's.
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
 * Whether the Agent inside a RetryAgent follows redirects. A RetryAgent hides its Agent, but copies the options of a request
 * once. An Agent that follows redirects copies them twice more before it refuses a request without origin.
 */
function copiesOptions(dispatcher: LaneableDispatcher): boolean {
  let copies = 0
  const options = { path: '/', method: 'GET', headers: {} }
  Object.defineProperty(options, Symbol('laneway.undici.probe'), { enumerable: true, get: () => copies++ })
  try {
    dispatcher.dispatch(options, PROBE_HANDLER)
  } catch {
    // This one refuses by throwing.
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
