import type { LaneableDispatcher } from './dispatcher.js'
import { classNames, internal } from './internals.js'
import { probeOf } from './routes-by-origin.js'

/** The dispatcher for chosen endpoints. It uses no proxy: endpoints are inside, and a proxy leads outside. */
export interface DirectAgent {
  readonly dispatcher: LaneableDispatcher
  /** Laneway made it, so Laneway closes it. */
  readonly owned: boolean
}

/** @returns `undefined` when Laneway cannot go around the proxy of the dispatcher */
export function directAgentOf(dispatcher: LaneableDispatcher): DirectAgent | undefined {
  const names = classNames(dispatcher)
  // Their internals count too, because a minified class has another name.
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
