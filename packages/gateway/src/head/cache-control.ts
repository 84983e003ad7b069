import { membersOf } from './list-header.js'

/**
 * The `Cache-Control` of an answer that belongs to one lane: private, and otherwise at least as strict as the upstream's.
 * `public` and `s-maxage` are removed, `no-store` and the rest stay. RFC 9111 section 5.2.2.
 *
 * @param value - the lines of the field joined by commas; `undefined` when there is none
 */
export function privateCacheControl(value: string | undefined): string {
  if (value === undefined || value === '') return 'private'
  let kept = 'private'
  for (const directive of membersOf(value)) {
    const equals = directive.indexOf('=')
    const name = (equals === -1 ? directive : directive.slice(0, equals)).trim().toLowerCase()
    if (!SHARED.has(name)) kept += `, ${directive}`
  }
  return kept
}

/** Directives for shared caches; `private="field"` would let them store the rest of the answer. */
const SHARED = new Set(['', 'public', 's-maxage', 'proxy-revalidate', 'private'])

/**
 * Whether a field is for shared caches and overrides `Cache-Control` there: targeted fields, whose names end in
 * `-Cache-Control` (RFC 9213 section 2: `CDN-Cache-Control`, `Cloudflare-CDN-Cache-Control`), fields of edge servers
 * (`Surrogate-Control`, Akamai's `Edge-Control`) and of nginx.
 *
 * @param name - lower case
 */
export function isSharedCacheHeader(name: string): boolean {
  return name.endsWith('-cache-control') || OF_EDGES.has(name)
}

const OF_EDGES = new Set(['surrogate-control', 'edge-control', 'x-accel-expires'])
