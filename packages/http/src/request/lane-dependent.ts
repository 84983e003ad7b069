import type { IncomingMessage } from 'node:http'
import type { HopOptions } from '../node-internals.js'

/**
 * Whether a cache above the agent reads the response of a request: `cacheable-request`, which got's `cache` is, passes
 * its own options on. Such a cache does not see the lane, so it would give the answer of one lane to another.
 */
export function isReadByCache({ cache, strictTtl, automaticFailover }: HopOptions): boolean {
  return Boolean(cache) && (strictTtl !== undefined || automaticFailover !== undefined)
}

/** What the cache makes of a response, and asks whether it may keep it. */
interface CachePolicy {
  storable?: unknown
}

/**
 * Keeps a response, which is good for its request only, out of that cache: the cache puts its policy on the response, and
 * that policy says no from then on. The headers stay as the server said them, wherever they are passed on to.
 */
export function keepOutOfCache(response: IncomingMessage): void {
  // Confirms what the cache has kept from before the first lane: `Vary: *` (RFC 9111, section 4.1) is what it merges.
  if (response.statusCode === 304) {
    response.headers.vary = '*'
    return
  }
  Object.defineProperty(response, 'cachePolicy', {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set(this: IncomingMessage, policy: CachePolicy) {
      if (typeof policy?.storable === 'function') policy.storable = () => false
      Object.defineProperty(this, 'cachePolicy', {
        value: policy,
        configurable: true,
        enumerable: true,
        writable: true,
      })
    },
  })
}
