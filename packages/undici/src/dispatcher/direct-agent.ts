import type { LaneableDispatcher } from './dispatcher.js'
import { classNames, internal } from './internals.js'
import { probeOf } from './routes-by-origin.js'

/** The dispatcher for chosen endpoints: they are inside, a proxy leads outside. */
export interface DirectAgent {
  readonly dispatcher: LaneableDispatcher
  /** Made here, so closed here. */
  readonly owned: boolean
}

/** @returns `undefined` when the dispatcher uses a proxy that cannot be gone around */
export function directAgentOf(dispatcher: LaneableDispatcher): DirectAgent | undefined {
  const names = classNames(dispatcher)
  // By their insides too, because a minified class has another name.
  const unproxied = internal(dispatcher, 'no proxy agent')
  if (names.includes('EnvHttpProxyAgent') || isDispatcher(unproxied)) {
    return isDispatcher(unproxied) ? { dispatcher: unproxied, owned: false } : undefined
  }
  const tunnel = internal(dispatcher, 'proxy agent')
  if (names.includes('ProxyAgent') || isDispatcher(tunnel)) {
    if (!isDispatcher(tunnel)) return undefined
    const Agent = tunnel.constructor as new (options: object) => LaneableDispatcher
    const tls = internal(dispatcher, 'request tls settings')
    return { dispatcher: new Agent(typeof tls === 'object' && tls !== null ? { connect: tls } : {}), owned: true }
  }
  if (names.includes('Socks5ProxyAgent')) return undefined
  if (names.includes('RetryAgent') && probeOf(dispatcher) === 'proxy') return undefined
  return { dispatcher, owned: false }
}

function isDispatcher(value: unknown): value is LaneableDispatcher {
  return typeof value === 'object' && value !== null && typeof (value as LaneableDispatcher).dispatch === 'function'
}
