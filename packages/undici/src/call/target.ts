import { isIP } from 'node:net'
import { BoundedMap } from '@laneway/core/internal'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'

/** Where a request is meant to go. Read once per origin. */
export interface Target {
  readonly origin: string
  /** As in a URL, IPv6 in brackets. */
  readonly hostname: string
  /** `undefined` for the scheme's default. */
  readonly port: number | undefined
  readonly secure: boolean
  /** The value of the `Host` header. */
  readonly host: string
  /** For TLS; an address has none. */
  readonly servername: string | undefined
}

/** By origin; `null` for what is no http(s) origin. */
const targets = new BoundedMap<string, Target | null>(4096)
/** The origin of the call before: most are the same, and a new text has no hash yet for a look-up. */
let lastOrigin: string | undefined
let lastTarget: Target | undefined

/** The target of an origin; `undefined` unless it is an http(s) origin. Cached, because `new URL` costs a microsecond. */
export function targetOfOrigin(origin: string): Target | undefined {
  if (origin === lastOrigin) return lastTarget
  const target = targets.of(origin, parse) ?? undefined
  lastOrigin = origin
  lastTarget = target
  return target
}

/** What a request aims at: not the origin when that is a proxy. */
export interface Aim {
  readonly target: Target | undefined
  /** The path in origin form when `opts.path` names the target itself (`GET http://host/path`). */
  readonly path: string | undefined
  /** A tunnel: its target decides about the tag, but is never replaced. */
  readonly tunnel: boolean
}

const SLASH = 47
const ABSOLUTE = /^https?:\/\//i

/** @returns `undefined` for the usual case: the origin is the target */
export function aimOf(options: DispatchOptions): Aim | undefined {
  const { path } = options
  if (typeof path !== 'string') return undefined
  if (options.method === 'CONNECT') {
    // `connect()` of undici puts a slash in front of the authority.
    const authority = path.charCodeAt(0) === SLASH ? path.slice(1) : path
    const named = authority === '' ? originText(options.origin) : `http://${authority}`
    return { target: targetOfOrigin(named), path: undefined, tunnel: true }
  }
  if (path.charCodeAt(0) === SLASH || !ABSOLUTE.test(path)) return undefined
  const slash = path.indexOf('/', 8)
  const question = path.indexOf('?', 8)
  const end =
    slash === -1 ? (question === -1 ? path.length : question) : question === -1 ? slash : Math.min(slash, question)
  const rest = path.slice(end)
  return { target: targetOfOrigin(path.slice(0, end)), path: rest.startsWith('/') ? rest : `/${rest}`, tunnel: false }
}

export function originText(origin: string | URL | undefined): string {
  return typeof origin === 'string' ? origin : origin === undefined || origin === null ? '' : origin.origin
}

function parse(origin: string): Target | null {
  let url: URL
  try {
    url = new URL(origin)
  } catch {
    return null
  }
  const secure = url.protocol === 'https:'
  if (!secure && url.protocol !== 'http:') return null
  return {
    origin: url.origin,
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    secure,
    host: url.host,
    servername: isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? url.hostname : undefined,
  }
}
