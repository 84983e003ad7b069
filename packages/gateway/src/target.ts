import type { IncomingMessage } from 'node:http'

/** A request as Fastify's `rewriteUrl` leaves it: `originalUrl` is what rules and routes read. */
export type TargetedRequest = IncomingMessage & { originalUrl?: string }

const kBad = Symbol('laneway.gateway.bad')
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/i
// RFC 3986 section 3.2.2, without userinfo, which RFC 9110 section 4.2.4 has refused.
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)(?::\d{0,5})?$/i

/**
 * Reads the target of a request before anything is decided by it. An absolute form names the host, whatever `Host` says
 * (RFC 9112 section 3.2.2); several `Host` lines, or none, make the request a bad one, as does a target that is no path.
 */
export function readTarget(request: TargetedRequest): void {
  const { headers } = request
  const url = request.originalUrl ?? ''
  if (request.httpVersionMajor === 2) {
    // Node has merged both; RFC 9113 section 8.3.1 lets the pseudo-header win.
    const authority = headers[':authority']
    if (authority !== undefined) headers.host = authority as string
    else if (headers.host === undefined) refuse(request)
  } else if (request.httpVersionMajor !== 1 || hostLines(request.rawHeaders) > 1) refuse(request)
  if (url.charCodeAt(0) !== SLASH) {
    const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? []
    if (authority === undefined) {
      refuse(request)
      return
    }
    setHost(request, authority)
    request.originalUrl = rest.charCodeAt(0) === SLASH ? rest : `/${rest}`
  }
  if (headers.host !== undefined && headers.host !== '' && !AUTHORITY.test(headers.host)) refuse(request)
}

/** Whether the request cannot be forwarded. */
export function isBadTarget(request: IncomingMessage): boolean {
  return (request as { [kBad]?: true })[kBad] === true
}

function refuse(request: IncomingMessage): void {
  ;(request as { [kBad]?: true })[kBad] = true
}

function setHost({ headers, rawHeaders }: IncomingMessage, host: string): void {
  headers.host = host
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === 4 && rawHeaders[index]!.toLowerCase() === 'host') rawHeaders[index + 1] = host
  }
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
