import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** Why a request is refused: its status, and a line for people. */
export interface Refusal {
  readonly status: 401 | 403 | 405 | 421
  readonly reason: string
}

const COOKIE = 'laneway-console'

/** A token that nobody guesses. */
export function createToken(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Looks at each request before anything else does.
 *
 * @param hosts - names under which the console is reached, besides localhost and addresses
 * @param token - `undefined`: whoever reaches the address may read
 */
export function createGuard(hosts: readonly string[], token: string | undefined) {
  const names = new Set(['localhost', ...hosts.map(host => host.toLowerCase())])
  const wanted = token === undefined ? undefined : digest(token)
  const isToken = (text: string | undefined) =>
    wanted === undefined || (text !== undefined && timingSafeEqual(digest(text), wanted))

  return {
    isToken,
    cookie: (text: string) => `${COOKIE}=${encodeURIComponent(text)}; HttpOnly; SameSite=Strict; Path=/`,
    /** `undefined` when the request may be answered. */
    refuse({ method, headers }: IncomingMessage): Refusal | undefined {
      // A page of another site that makes its own name point here sends that name: DNS rebinding.
      const host = hostOf(headers.host)
      if (host === undefined || !(isIP(host) !== 0 || names.has(host))) {
        return { status: 421, reason: 'this name is not known here: start the console with --host-name NAME' }
      }
      if (method !== 'GET' && method !== 'POST') return { status: 405, reason: 'only GET and POST are served' }
      // Pages of other sites may not ask, not even for what they could not read.
      const site = headers['sec-fetch-site']
      if (site === 'cross-site' || site === 'same-site') {
        const opens =
          method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
        if (!opens) return { status: 403, reason: 'pages of other sites are not answered' }
      }
      // A form of another site cannot send JSON.
      if (method === 'POST' && headers['content-type'] !== 'application/json') {
        return { status: 403, reason: 'POST takes application/json' }
      }
      if (isToken(bearerOf(headers.authorization) ?? cookieOf(headers.cookie))) return undefined
      return { status: 401, reason: 'open the URL that the console printed at its start: it has the token' }
    },
  }
}

/** The host of a `Host` header, lower case, without port and brackets. */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([a-z\d._-]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  return (bracketed ?? plain)?.toLowerCase()
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1]
}

function cookieOf(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name !== COOKIE || value === undefined) continue
    try {
      return decodeURIComponent(value)
    } catch {
      return undefined
    }
  }
  return undefined
}

/** Of one length, so that the comparison takes one time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
