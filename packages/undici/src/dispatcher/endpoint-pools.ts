import type { EndpointTls } from '@laneway/core'
import type { EgressResolver, Endpoint } from '@laneway/discovery'
import type { LaneableDispatcher } from './dispatcher.js'
import { type GuardedEndpoints, guardEndpoints } from './endpoint-guard.js'
import { classNames, internal } from './internals.js'

/** How many departures are remembered for bodies that are being resumed. */
const MAX_DEPARTED = 4096
const SCHEMES = ['http://', 'https://'] as const

/** Follows the endpoints of a resolver for one dispatcher. */
export interface EndpointPools {
  /** Counts departures; compare with `departedSince`. */
  now(): number
  /** Whether an endpoint has left its service since a moment of `now()`. */
  departedSince(endpoint: Endpoint, moment: number): boolean
  /**
   * Makes the next connection to an endpoint given as a name check what the name resolves to.
   *
   * @param origin - of the endpoint over plain HTTP. Callers keep this text, because hashing a new one costs more than the
   * look-up.
   * @returns `false` when the dispatcher has no place to check: the caller has to resolve the name
   */
  guard(endpoint: Endpoint, origin: string): boolean
  /** Makes connections to an endpoint that speaks TLS use the trust that the options of Laneway say. */
  secure(endpoint: Endpoint, origin: string, tls: EndpointTls): void
  stop(): void
}

/**
 * Closes the connections to endpoints that left their service, once their requests have ended. undici 6 keeps the pool of an
 * origin for ever; 7 and 8 keep it until the server closes.
 */
export function watchEndpointPools(resolver: EgressResolver, agent: LaneableDispatcher): EndpointPools {
  const departed = new Map<string, number>()
  let count = 0
  let forgotten = 0
  // The user may drop a dispatcher without closing it; the resolver lives on.
  const held = new WeakRef(agent)
  let guarded: GuardedEndpoints | undefined
  let looked = false
  const guardedOf = (alive: LaneableDispatcher) => {
    if (!looked) {
      looked = true
      guarded = guardEndpoints(alive)
    }
    return guarded
  }
  const unsubscribe = resolver.onEndpointGone?.(endpoint => {
    const alive = held.deref()
    if (alive === undefined) return unsubscribe?.()
    count++
    for (const scheme of SCHEMES) guarded?.checked.delete(scheme + endpoint.address)
    guarded?.secured.delete(`https://${endpoint.address}`)
    departed.delete(endpoint.address)
    departed.set(endpoint.address, count)
    if (departed.size > MAX_DEPARTED) {
      const [oldest, moment] = departed.entries().next().value as [string, number]
      departed.delete(oldest)
      forgotten = moment
    }
    closePools(alive, endpoint.address)
  })
  return {
    now: () => count,
    guard(endpoint, origin) {
      const alive = held.deref()
      if (alive === undefined) return false
      const checked = guardedOf(alive)?.checked
      if (checked === undefined) return false
      if (!checked.has(origin)) {
        for (const scheme of SCHEMES) checked.add(scheme + endpoint.address)
        // A pool that the app made for the same origin connects unchecked.
        closePools(alive, endpoint.address)
      }
      return true
    },
    secure(endpoint, origin, tls) {
      const alive = held.deref()
      if (alive === undefined) return
      const secured = guardedOf(alive)?.secured
      if (secured === undefined || secured.get(origin) === tls) return
      secured.set(origin, tls)
      closePools(alive, endpoint.address)
    },
    departedSince: (endpoint, moment) => moment < forgotten || (departed.get(endpoint.address) ?? -1) > moment,
    stop() {
      unsubscribe?.()
    },
  }
}

function closePools(agent: LaneableDispatcher, address: string): void {
  // The pools of a mock hold the user's expectations.
  if (classNames(agent).includes('MockAgent')) return
  const pools = internal(agent, 'clients')
  if (!(pools instanceof Map)) return
  const origins = internal(agent, 'origins')
  for (const scheme of SCHEMES) {
    const origin = scheme + address
    // undici 8 keeps a second pool for requests that refuse HTTP/2.
    for (const key of [origin, `${origin}#http1-only`]) {
      const entry = pools.get(key) as LaneableDispatcher | { dispatcher: LaneableDispatcher } | undefined
      if (entry === undefined) continue
      pools.delete(key)
      const pool = 'dispatcher' in entry ? entry.dispatcher : entry
      Promise.resolve(pool.close()).catch(ignore)
    }
    // What counts towards `maxOrigins` of undici 7 and 8.
    if (origins instanceof Set) origins.delete(origin)
  }
}

/** A pool that was destroyed meanwhile needs no closing. */
function ignore(): void {}
