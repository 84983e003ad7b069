import { type IncomingMessage, METHODS, maxHeaderSize } from 'node:http'

/** Why a request is not forwarded. */
export type TargetRefusal = 'bad-request' | 'head-too-large'

const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/i
// RFC 3986 section 3.2.2, without userinfo, which RFC 9110 section 4.2.4 forbids.
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)(?::\d{0,5})?$/i

/**
 * Header lines of a request, at most. Servers written in Node read 1,000 lines, and the gateway adds a few: such a server
 * would not see a later line, which may be the lane.
 */
const MAX_LINES = 900

/** Methods that Node's HTTP/1 parser takes: HTTP/2 may have no others. */
const KNOWN_METHODS = new Set(METHODS)

/**
 * Reads the target of a request before anything is decided by it, and makes its `url` the path. An absolute form names
 * the host, whatever `Host` says (RFC 9112 section 3.2.2). Refuses what servers read in different ways: several `Host`
 * lines, or none; a target that is no path, or has a fragment; a transfer coding other than `chunked`; too many header
 * lines.
 *
 * @returns why the request cannot be forwarded; `undefined` when it can
 */
export function readTarget(request: IncomingMessage): TargetRefusal | undefined {
  const { headers, rawHeaders, httpVersionMajor } = request
  let refusal: TargetRefusal | undefined
  if (rawHeaders.length > MAX_LINES * 2) refusal = 'head-too-large'
  refusal ??= httpVersionMajor === 2 ? refusalOfHttp2(request) : refusalOfHttp1(request)
  const url = request.url ?? ''
  if (url.includes('#')) refusal ??= 'bad-request'
  if (url.charCodeAt(0) !== SLASH) {
    const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? []
    // HTTP/2 has no absolute form: RFC 9113 section 8.3.1.
    if (authority === undefined || httpVersionMajor === 2) return refusal ?? 'bad-request'
    setHost(request, authority)
    request.url = rest.charCodeAt(0) === SLASH ? rest : `/${rest}`
  }
  if (headers.host !== undefined && headers.host !== '' && !AUTHORITY.test(headers.host)) refusal ??= 'bad-request'
  return refusal
}

function refusalOfHttp2({ headers, rawHeaders, method }: IncomingMessage): TargetRefusal | undefined {
  // Node has merged both; RFC 9113 section 8.3.1 gives the pseudo-header precedence.
  const authority = headers[':authority']
  if (authority !== undefined) headers.host = authority as string
  else if (headers.host === undefined) return 'bad-request'
  if (bytesOf(rawHeaders) > maxHeaderSize) return 'head-too-large'
  return KNOWN_METHODS.has(method ?? '') ? undefined : 'bad-request'
}

function refusalOfHttp1(request: IncomingMessage): TargetRefusal | undefined {
  const hosts = hostLines(request.rawHeaders)
  // HTTP/1.0 needs no Host; Node checks it only in some versions of HTTP/1.1 servers.
  const isHosted = hosts === 1 || (hosts === 0 && request.httpVersionMinor === 0)
  const isReadable = request.httpVersionMajor === 1 && isHosted && !hasUnclearFraming(request)
  return isReadable ? undefined : 'bad-request'
}

/**
 * The gateway removes `Transfer-Encoding`, so a body with another coding than `chunked` would change its meaning. Servers
 * read an empty field, and one in HTTP/1.0, in different ways. RFC 9112 section 6.1.
 */
function hasUnclearFraming({ headers, httpVersionMinor }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  if (coding === undefined) return false
  return httpVersionMinor === 0 || headers['content-length'] !== undefined || coding.toLowerCase() !== 'chunked'
}

function setHost({ headers, rawHeaders }: IncomingMessage, host: string): void {
  // HTTP/1.0 needs no Host. Without the line, the upstream would see another host than X-Forwarded-Host names.
  if (headers.host === undefined) rawHeaders.push('Host', host)
  headers.host = host
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === 4 && rawHeaders[index]!.toLowerCase() === 'host') rawHeaders[index + 1] = host
  }
}

/** What HTTP/1.1 adds to each line, so that the limit is the same for both protocols. */
const SIGNS_OF_A_LINE = ': \r\n'.length

function bytesOf(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * SIGNS_OF_A_LINE
  for (const text of rawHeaders) bytes += text.length
  return bytes
}

function hostLines(rawHeaders: readonly string[]): number {
  let lines = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && (name === 'Host' || name === 'host' || name.toLowerCase() === 'host')) lines++
  }
  return lines
}

const SLASH = 47
