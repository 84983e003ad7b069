import type { IncomingMessage } from 'node:http'
import type { HopOptions } from './node-internals.js'

/** A response with one of these may be stored by a cache of the client. */
const STORED_BY = ['cache-control', 'expires', 'etag', 'last-modified']

/**
 * Whether a cache above the agent reads the response of a request: `cacheable-request`, which got's `cache` is, passes
 * its own options on. Such a cache does not see the lane, so it would give the answer of one lane to another.
 */
export function isReadByCache({ cache, strictTtl, automaticFailover }: HopOptions): boolean {
  return Boolean(cache) && (strictTtl !== undefined || automaticFailover !== undefined)
}

/** Marks a response as good for its request only: `Vary: *` is how RFC 9111, section 4.1, says that. */
export function markLaneDependent({ headers, rawHeaders }: IncomingMessage): void {
  if (!STORED_BY.some(name => headers[name] !== undefined)) return
  headers.vary = '*'
  rawHeaders.push('Vary', '*')
}
