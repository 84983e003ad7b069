import { PATH_HEADER } from '@laneway/core/internal'
import { connectionNames, isHopHeader } from './hop-headers.js'
import { membersOf } from './list-header.js'

/** undici's raw lines: names and values in turn, as bytes. */
export type RawLines = readonly (Buffer | string | readonly Buffer[])[]

/**
 * The headers of an upstream's answer as they go to the client: a flat list of names and values, in the upstream's order
 * and spelling.
 *
 * @param isPrivate - the answer belongs to one lane, so shared caches must not store it
 */
export function responseHeaders(raw: RawLines, isPrivate: boolean): string[] {
  const kept: string[] = []
  let listed: ReadonlySet<string> | undefined
  let cacheControl: string | undefined
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = text(raw[index]!)
    const value = text(raw[index + 1]!)
    if (isHopHeader(name)) {
      if (name.length === 10 && name.toLowerCase() === 'connection') listed = merge(listed, connectionNames(value))
      continue
    }
    if (isPath(name)) continue
    if (isPrivate) {
      const lower = name.toLowerCase()
      if (lower === 'cache-control') {
        cacheControl = cacheControl === undefined ? value : `${cacheControl}, ${value}`
        continue
      }
      if (isSharedCacheHeader(lower)) continue
    }
    kept.push(name, value)
  }
  if (isPrivate) kept.push('cache-control', privateCacheControl(cacheControl))
  return listed === undefined ? kept : without(kept, listed)
}

/**
 * Fields that Node sends only once to HTTP/2 clients (`kSingleValueHeaders` of its `http2`). Of several lines, the first
 * one is passed on, because programs in Node also read the first one from HTTP/1.1.
 */
const SINGLE = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age authorization ' +
    'content-encoding content-language content-length content-location content-md5 content-range content-type date dnt ' +
    'etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
    'location max-forwards proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent ' +
    'x-content-type-options'
  ).split(' '),
)

/** The head of an answer for Node's HTTP/2: fields in lower case, without those that HTTP/2 does not have. */
export function toHttp2Head(status: number, flat: readonly string[]): Record<string, string | string[]> {
  const headers = toHeaderObject(flat)
  // Their answers have no body in HTTP/2, and a length other than 0 would contradict that.
  if (status === 204 || status === 205) delete headers['content-length']
  return headers
}

/** An object by lower-case name, for HTTP/2 and for trailers. */
export function toHeaderObject(flat: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!.toLowerCase()
    const value = flat[index + 1]!
    const present = headers[name]
    if (present === undefined) headers[name] = value
    else if (SINGLE.has(name)) continue
    else if (typeof present === 'string') headers[name] = [present, value]
    else present.push(value)
  }
  return headers
}

/** Trailers, without the fields that must not be trailers (RFC 9110 section 6.5.1). */
export function responseTrailers(raw: RawLines): string[] {
  const kept: string[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = text(raw[index]!)
    if (!isHopHeader(name) && !isPath(name) && !NO_TRAILER.has(name.toLowerCase()))
      kept.push(name, text(raw[index + 1]!))
  }
  return kept
}

/** The path of a traced request: the gateway writes its own, and what a service says without being asked is for nobody. */
function isPath(name: string): boolean {
  return name.length === PATH_HEADER.length && name.toLowerCase() === PATH_HEADER
}

const NO_TRAILER = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'set-cookie',
  'cache-control',
  'authorization',
])

function text(bytes: Buffer | string | readonly Buffer[]): string {
  if (typeof bytes === 'string') return bytes
  if (bytes instanceof Uint8Array) return (bytes as Buffer).toString('latin1')
  return (bytes as readonly Buffer[]).map(one => one.toString('latin1')).join(', ')
}

function merge(
  one: ReadonlySet<string> | undefined,
  other: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return one === undefined || other === undefined ? (one ?? other) : new Set([...one, ...other])
}

function without(flat: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let index = 0; index < flat.length; index += 2) {
    if (!names.has(flat[index]!.toLowerCase())) kept.push(flat[index]!, flat[index + 1]!)
  }
  return kept
}

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
