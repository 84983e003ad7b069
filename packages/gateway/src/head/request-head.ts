import type { IncomingMessage } from 'node:http'
import type { Backend } from '../route/backend.js'
import { isForwarded } from './forwarded-headers.js'
import { connectionNames, isHopHeader } from './hop-headers.js'
import { lastMembers } from './list-header.js'

/** How the head of a request is rewritten; the same for all requests of a listener. */
export interface HeadRules {
  /** How many proxies stand in front; `Infinity` keeps all that was sent. */
  readonly proxies: number
  /** Also write `Forwarded`. */
  readonly forwarded: boolean
  /** Keep the client's `Host`; otherwise the upstream sees the name of the service. */
  readonly keepHost: boolean
  /** The client used TLS. */
  readonly secure: boolean
}

/** Headers by lower-case name, without a prototype, because names come from the network. */
type HeaderRecord = Record<string, string | string[]>

/**
 * The headers of a request as they go to the upstream: a flat list of names and values, or an object where the route
 * changes them. `@laneway/undici` adds the lane later.
 */
export function requestHeaders(request: IncomingMessage, rules: HeadRules, backend: Backend): string[] | HeaderRecord {
  const kept = request.httpVersionMajor === 2 ? keptOfHttp2(request, rules) : keptOfHttp1(request, rules)
  addForwarded(kept, request, rules)
  return backend.modify === undefined ? kept : backend.modify(toRecord(kept))
}

function keptOfHttp1({ rawHeaders, headers }: IncomingMessage, { proxies, keepHost }: HeadRules): string[] {
  const listed = connectionNames(headers.connection)
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (isHopHeader(name) || listed?.has(name.toLowerCase()) === true) continue
    // All of these names begin with x or f, in either case.
    const first = name.charCodeAt(0) | 32
    if ((first === 120 || first === 102) && isForwarded(name.toLowerCase(), proxies)) continue
    if (!keepHost && name.length === 4 && name.toLowerCase() === 'host') continue
    kept.push(name, rawHeaders[index + 1]!)
  }
  return kept
}

/** From the parsed headers, where Node has joined what HTTP/2 may send in pieces (`Cookie`, RFC 9113 section 8.2.3). */
function keptOfHttp2({ headers }: IncomingMessage, { proxies, keepHost }: HeadRules): string[] {
  const kept: string[] = []
  if (keepHost) kept.push('host', authorityOf(headers) ?? '')
  for (const name of Object.keys(headers)) {
    if (name.charCodeAt(0) === COLON || name === 'host' || isHopHeader(name)) continue
    if (isForwarded(name, proxies)) continue
    const value = headers[name]
    if (typeof value === 'string') kept.push(name, value)
    else if (value !== undefined) for (const line of value) kept.push(name, line)
  }
  return kept
}

const COLON = 58

function authorityOf(headers: IncomingMessage['headers']): string | undefined {
  return (headers[':authority'] as string | undefined) ?? headers.host
}

function addForwarded(kept: string[], { headers, socket }: IncomingMessage, rules: HeadRules): void {
  const peer = peerOf(socket?.remoteAddress)
  const host = authorityOf(headers)
  const scheme = rules.secure ? 'https' : 'http'
  const { proxies } = rules
  const before = proxies === 0 ? '' : lastMembers(String(headers['x-forwarded-for'] ?? ''), proxies)
  kept.push('x-forwarded-for', before === '' ? peer : `${before}, ${peer}`)
  if (host !== undefined && (proxies === 0 || headers['x-forwarded-host'] === undefined)) {
    kept.push('x-forwarded-host', host)
  }
  if (proxies === 0 || headers['x-forwarded-proto'] === undefined) kept.push('x-forwarded-proto', scheme)
  const forwardedBefore = proxies === 0 ? '' : lastMembers(String(headers['forwarded'] ?? ''), proxies)
  if (!rules.forwarded && forwardedBefore === '') return
  const named = host === undefined ? '' : `;host="${host.replace(/["\\]/g, '')}"`
  const element = `for=${peer.includes(':') ? `"[${peer}]"` : peer}${named};proto=${scheme}`
  kept.push('forwarded', forwardedBefore === '' ? element : `${forwardedBefore}, ${element}`)
}

function peerOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function toRecord(kept: readonly string[]): HeaderRecord {
  const record: HeaderRecord = Object.create(null)
  for (let index = 0; index < kept.length; index += 2) {
    const name = kept[index]!.toLowerCase()
    const value = kept[index + 1]!
    const present = record[name]
    if (present === undefined) record[name] = value
    else if (typeof present === 'string') record[name] = [present, value]
    else present.push(value)
  }
  return record
}
