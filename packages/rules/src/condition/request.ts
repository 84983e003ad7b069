import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { canonicalPath, receivedBytes, unescapeBytes, wireHost } from './wire-text.js'

/** What rules read of a request: `http.IncomingMessage`, and requests of Express, Fastify and the compatibility API of `http2`. */
export interface RulesRequest {
  readonly headers: Record<string, string | string[] | undefined>
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Express shortens `url` inside a mounted router; this one is complete, and has precedence. */
  readonly originalUrl?: string | undefined
  readonly socket?: { readonly remoteAddress?: string | undefined } | null | undefined
}

// Several conditions read the path of one request, and callers repeat paths: one entry saves most of the parsing.
let lastUrl = ''
let lastPath = '/'
let lastCanonical = '/'
let lastQuery: string | undefined

/** The path without query, in the spelling that is compared: see {@link canonicalPath}. */
export function pathOf(request: RulesRequest): string | undefined {
  return cut(request) ? lastCanonical : undefined
}

/** The path as sent, without query. */
export function sentPathOf(request: RulesRequest): string | undefined {
  return cut(request) ? lastPath : undefined
}

/** The text behind `?`, not decoded. */
export function queryOf(request: RulesRequest): string | undefined {
  return cut(request) ? lastQuery : undefined
}

function cut(request: RulesRequest): boolean {
  const received = typeof request.originalUrl === 'string' ? request.originalUrl : request.url
  if (typeof received !== 'string' || received === '') return false
  if (received === lastUrl) return true
  const url = receivedBytes(received)
  let start = 0
  // absolute-form, RFC 9112 section 3.2.2
  if (url.charCodeAt(0) !== 47) {
    const scheme = url.indexOf('://')
    if (scheme > 0 && scheme < 9) {
      start = scheme + 3
      while (start < url.length && url.charCodeAt(start) !== 47 && url.charCodeAt(start) !== 63) start++
    }
  }
  const mark = url.indexOf('?', start)
  lastUrl = received
  lastPath = mark === -1 ? url.slice(start) : url.slice(start, mark)
  if (lastPath === '') lastPath = '/'
  lastCanonical = canonicalPath(lastPath)
  lastQuery = mark === -1 ? undefined : url.slice(mark + 1)
  return true
}

/** @param name - lower case */
export function headerOf(request: RulesRequest, name: string): string | undefined {
  const { headers } = request
  if (typeof headers !== 'object' || headers === null) return undefined
  const value: unknown = headers[name]
  if (typeof value === 'string') return value
  // RFC 9110 section 5.3: the lines of one name are one value
  if (Array.isArray(value)) return value.join(', ')
  return undefined
}

/**
 * The host in the spelling of documents: lower case, without port and without the dot at the end of an absolute name; an
 * internationalised name as browsers send it. `:authority` where HTTP/2 has no Host.
 */
export function hostOf(request: RulesRequest): string | undefined {
  const value = headerOf(request, 'host') ?? headerOf(request, ':authority')
  if (value === undefined) return undefined
  const colon = value.lastIndexOf(':')
  const bare = colon > value.lastIndexOf(']') ? value.slice(0, colon) : value
  return wireHost(bare)
}

/**
 * One spelling for one client: without the zone of a link-local address, and IPv4 inside IPv6 as IPv4, so that a dual-stack
 * socket does not change a caller's slot.
 */
export function canonicalAddress(address: string): string {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare
}

/** The peer of the socket. Behind a proxy this is the proxy: see {@link forwardedAddress}. */
export function peerAddress(request: RulesRequest): string | undefined {
  const address: unknown = request.socket?.remoteAddress
  return typeof address === 'string' ? canonicalAddress(address) : undefined
}

/**
 * Reads the client address behind proxies that append to `X-Forwarded-For`: the entry that the outermost of them wrote.
 * The client sent what stands left of it, so that is ignored.
 *
 * @param proxies - how many proxies stand in front, 1 or more
 * @example compileRules(document, { clientAddress: forwardedAddress(1) })
 */
export function forwardedAddress(proxies: number): (request: RulesRequest) => string | undefined {
  if (!(Number.isInteger(proxies) && proxies >= 1)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `forwardedAddress takes the number of proxies in front, 1 or more, received ${describe(proxies)}`,
    )
  }
  return function clientBehindProxies(request) {
    const value = headerOf(request, 'x-forwarded-for')
    if (value === undefined) return undefined
    let end = value.length
    for (let hop = 1; hop < proxies; hop++) {
      end = value.lastIndexOf(',', end - 1)
      if (end <= 0) return undefined
    }
    return value.slice(value.lastIndexOf(',', end - 1) + 1, end).trim()
  }
}

/** @param name - exact case, as bytes; of equal names the first counts, as Gateway API recommends */
export function parameterOf(request: RulesRequest, name: string): string | undefined {
  return parametersOf(request)?.get(name)
}

/** @param name - exact case, as bytes; browsers send the one with the longest path first (RFC 6265 section 5.4), which counts */
export function cookieOf(request: RulesRequest, name: string): string | undefined {
  return cookiesOf(request)?.get(name)
}

/** The value of a cookie without its percent escapes; `undefined` when it has none. */
export function decodedCookieOf(request: RulesRequest, name: string): string | undefined {
  return decodedCookiesOf(request)?.get(name)
}

// Several rules read the same request, so its query and cookies are parsed once. A Map, because names come from the network.
let lastQueryText: string | undefined
let lastParameters: ReadonlyMap<string, string> = new Map()
let lastCookieText: string | undefined
let lastCookies: ReadonlyMap<string, string> = new Map()
let lastDecodedCookies: ReadonlyMap<string, string> | undefined

/** All query parameters as bytes, decoded as a form; a malformed escape stays as it is. */
export function parametersOf(request: RulesRequest): ReadonlyMap<string, string> | undefined {
  const query = queryOf(request)
  if (query === undefined || query === '') return undefined
  if (query !== lastQueryText) {
    lastParameters = parseQuery(query)
    lastQueryText = query
  }
  return lastParameters
}

/** All cookies; values as sent, without surrounding quotes. */
export function cookiesOf(request: RulesRequest): ReadonlyMap<string, string> | undefined {
  const header = headerOf(request, 'cookie')
  if (header === undefined) return undefined
  if (header !== lastCookieText) {
    lastCookies = parseCookies(receivedBytes(header))
    lastDecodedCookies = undefined
    lastCookieText = header
  }
  return lastCookies
}

/** The cookies with percent escapes, as bytes. RFC 6265 has no escapes, but every library writes them. */
export function decodedCookiesOf(request: RulesRequest): ReadonlyMap<string, string> | undefined {
  const sent = cookiesOf(request)
  if (sent === undefined) return undefined
  lastDecodedCookies ??= decodeCookies(sent)
  return lastDecodedCookies
}

function decodeCookies(sent: ReadonlyMap<string, string>): Map<string, string> {
  const decoded = new Map<string, string>()
  for (const [name, value] of sent) {
    const bytes = unescapeBytes(value)
    if (bytes !== value) decoded.set(name, bytes)
  }
  return decoded
}

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>()
  let start = 0
  while (start < query.length) {
    let end = query.indexOf('&', start)
    if (end === -1) end = query.length
    if (end > start) {
      // Searches the pair only: a search in the whole query would cost its length once per pair.
      const pair = query.slice(start, end)
      const equals = pair.indexOf('=')
      const name = decodeForm(equals === -1 ? pair : pair.slice(0, equals))
      if (!parameters.has(name)) parameters.set(name, equals === -1 ? '' : decodeForm(pair.slice(equals + 1)))
    }
    start = end + 1
  }
  return parameters
}

function parseCookies(header: string): Map<string, string> {
  const cookies = new Map<string, string>()
  let start = 0
  while (start < header.length) {
    let end = header.indexOf(';', start)
    if (end === -1) end = header.length
    const pair = header.slice(start, end)
    const equals = pair.indexOf('=')
    if (equals !== -1) {
      const name = pair.slice(0, equals).trim()
      if (!cookies.has(name)) cookies.set(name, unquote(pair.slice(equals + 1).trim()))
    }
    start = end + 1
  }
  return cookies
}

function unquote(value: string): string {
  const quoted = value.length >= 2 && value.charCodeAt(0) === 34 && value.charCodeAt(value.length - 1) === 34
  return quoted ? value.slice(1, -1) : value
}

function decodeForm(bytes: string): string {
  return unescapeBytes(bytes.includes('+') ? bytes.replaceAll('+', ' ') : bytes)
}
