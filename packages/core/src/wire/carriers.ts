import type { IngressRequest } from '../ingress/request.js'
import { hasLaneMember } from './baggage.js'
import { DEFAULT_HEADER } from './header-name.js'

/** A request with fewer header lines than this is complete: no server drops lines below this number by default. */
const FEW_LINES = 32
const FEW = 2 * FEW_LINES
const COLON = 58

/** What a request says about its lane: on the lines that a handler can forward, whichever view it copies them from. */
export interface Carriers {
  /** The view to read: that of the request, or one made of all its lines. */
  readonly view: IngressRequest
  /** The header or a baggage member of ours is there. */
  readonly present: boolean
}

/**
 * Finds the carriers of a request.
 *
 * Node fills `headers` with the first 1000 lines (`maxHeadersCount`) and keeps up to 1024 in `rawHeaders`, so a proxying
 * handler may forward lines that `headers` does not show. Then the lines decide.
 *
 * @param header - lower-case name
 */
export function findCarriers(request: IngressRequest, header: string): Carriers {
  const view = mayBeCut(request) ? viewOfLines(request, header) : request
  const { headers } = view
  if (headers[header] !== undefined) return { view, present: true }
  const { baggage } = headers
  return { view, present: baggage !== undefined && hasLaneMember(String(baggage)) }
}

/** Whether `rawHeaders` may have lines that `headers` does not show. Cheap, and true for some requests that are whole. */
export function mayBeCut(request: IngressRequest): boolean {
  const { rawHeaders } = request
  // HTTP/2 makes both views of one list; its lines begin with `:method`.
  if (rawHeaders === undefined || rawHeaders.length <= 2 || rawHeaders[0]!.charCodeAt(0) === COLON) return false
  if (rawHeaders.length > FEW) return true
  const most = (request.socket as { server?: { maxHeadersCount?: unknown } } | null | undefined)?.server
    ?.maxHeadersCount
  return typeof most === 'number' && most > 0 && rawHeaders.length > 2 * most
}

function viewOfLines({ headers, rawHeaders = [] }: IngressRequest, header: string): IngressRequest {
  const lines: Record<string, string[] | string | undefined> = {
    [header]: headers[header],
    baggage: headers['baggage'],
  }
  const tags: string[] = []
  const baggage: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (isName(name, header)) tags.push(rawHeaders[index + 1]!)
    else if (isName(name, 'baggage')) baggage.push(rawHeaders[index + 1]!)
  }
  // A framework may have given `headers` a value that no line has; it counts as before.
  if (tags.length > 0) lines[header] = tags
  // As Node joins lines in `headers`: the same text is not read again.
  if (baggage.length > 0) lines['baggage'] = baggage.join(', ')
  return { headers: lines, rawHeaders }
}

function isName(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower)
}

/** Whether a request has a header that this or another server takes for the lane header. Looks at little but lengths. */
export function hasCarrierName({ headers, rawHeaders }: IngressRequest, header: string): boolean {
  if (rawHeaders === undefined) {
    for (const name in headers) if (isCarrierName(name, header)) return true
    return false
  }
  for (let index = 0; index < rawHeaders.length; index += 2) if (isCarrierName(rawHeaders[index]!, header)) return true
  return false
}

/**
 * Whether an edge removes a header of this name: the lane header; `x_mse_tag` and its like, because CGI, WSGI, PHP and nginx
 * make one variable of `-` and `_` (old ones of every sign) and of both cases; and the default header with its like where
 * the lane header has another name, because a service further in may read it.
 *
 * @param name - in any case
 * @param header - lower-case name of the lane header
 */
export function isCarrierName(name: string, header: string): boolean {
  const { length } = name
  if (length === header.length && (name === header || isSameVariable(name, header))) return true
  return length === DEFAULT_HEADER.length && header !== DEFAULT_HEADER && isSameVariable(name, DEFAULT_HEADER)
}

function isSameVariable(name: string, header: string): boolean {
  for (let index = 0; index < header.length; index++) {
    if (variableCode(name.charCodeAt(index)) !== variableCode(header.charCodeAt(index))) return false
  }
  return true
}

/** Letters in lower case, digits, and one code for all signs. */
function variableCode(code: number): number {
  if (code >= 65 && code <= 90) return code + 32
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) ? code : 0
}
