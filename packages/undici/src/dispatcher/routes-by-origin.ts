import { LanewayError } from '@laneway/core'
import type { DispatchHandler, LaneableDispatcher } from './dispatcher.js'
import { classNames } from './internals.js'

const BY_ORIGIN = new Set([
  'MockAgent',
  'Agent',
  'ProxyAgent',
  'EnvHttpProxyAgent',
  'Socks5ProxyAgent',
  'SnapshotAgent',
])
const ONE_ORIGIN = new Set(['Client', 'H2CClient', 'Pool', 'BalancedPool', 'RoundRobinPool', 'MockClient', 'MockPool'])

/**
 * Refuses a dispatcher that sends every request to one origin: it would silently ignore a chosen endpoint.
 *
 * @throws LanewayError `LANEWAY_NOT_AN_AGENT`
 */
export function assertRoutesByOrigin(where: string, dispatcher: LaneableDispatcher): void {
  if (typeof dispatcher?.dispatch !== 'function') {
    throw new LanewayError('LANEWAY_NOT_AN_AGENT', `${where} takes an undici dispatcher, received ${typeof dispatcher}`)
  }
  if ((dispatcher as { routesByOrigin?: unknown }).routesByOrigin === true) return
  const names = classNames(dispatcher)
  if (routesByClass(dispatcher) ?? routes(probeOf(dispatcher))) return
  throw new LanewayError(
    'LANEWAY_NOT_AN_AGENT',
    `${where} takes a dispatcher that sends each request to its own origin: an Agent, ProxyAgent, EnvHttpProxyAgent, ` +
      `a RetryAgent over one of these, or a MockAgent; received ${names[0] ?? 'an object'}, which serves one origin ` +
      '(routesByOrigin: true vouches for a dispatcher of your own)',
  )
}

/** What the class of a dispatcher says; `undefined` when it says nothing. */
export function routesByClass(dispatcher: object): boolean | undefined {
  const telling = classNames(dispatcher).find(name => BY_ORIGIN.has(name) || ONE_ORIGIN.has(name))
  return telling === undefined ? undefined : BY_ORIGIN.has(telling)
}

/** Whether a dispatcher that answered like this to {@link probeOf} sends each request to its own origin. */
export function routes(probe: Probe): boolean {
  return probe === 'by-origin' || probe === 'proxy'
}

/** Why a dispatcher refused a request without origin and with a bad path. */
export type Probe = 'by-origin' | 'one-origin' | 'proxy' | 'unknown'

/**
 * Finds out by a request that nothing can send what a dispatcher is, also through a wrapper such as `RetryAgent`, whose inner
 * dispatcher is private. An Agent refuses the missing origin, a Client the path, a proxy the URL.
 */
export function probeOf(dispatcher: LaneableDispatcher): Probe {
  let seen: unknown
  const note = (error: unknown): void => {
    seen ??= error
  }
  const handler: DispatchHandler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError: (_controller, error) => note(error),
    onConnect() {},
    onHeaders: () => true,
    onData: () => true,
    onComplete() {},
    onError: note,
  }
  try {
    dispatcher.dispatch({ path: 'laneway-probe', method: 'GET', headers: {} }, handler)
  } catch (error) {
    note(error)
  }
  const { message, code } = Object(seen) as { message?: unknown; code?: unknown }
  if (code === 'ERR_INVALID_URL') return 'proxy'
  if (typeof message !== 'string') return 'unknown'
  if (message.includes('path must be')) return 'one-origin'
  return message.includes('origin') ? 'by-origin' : 'unknown'
}
