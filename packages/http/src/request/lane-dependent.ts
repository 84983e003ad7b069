import type { IncomingMessage } from 'node:http'
import type { HopOptions } from '../node-internals.js'

/**
 * Whether a cache above the agent reads the response of a request: `cacheable-request`, which got uses for `cache`, passes
 * its own options on. Such a cache does not see the lane, so it would give the answer of one lane to another.
 */
export function isReadByCache({ cache, strictTtl, automaticFailover }: HopOptions): boolean {
  return Boolean(cache) && (strictTtl !== undefined || automaticFailover !== undefined)
}

/** The cache makes it of a response, and asks it whether the response may be kept. */
interface CachePolicy {
  storable?: unknown
}

/**
 * Keeps a response out of that cache, because it is good for its own request only. The cache puts its policy on the response,
 * and Laneway makes that policy refuse. The headers stay as the server sent them, for code that passes them on.
 */
export function keepOutOfCache(response: IncomingMessage): void {
  // Confirms what the cache kept before the first lane. The cache merges these headers: `Vary: *` (RFC 9111, section 4.1).
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
