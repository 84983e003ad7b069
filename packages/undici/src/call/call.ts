import { isIP } from 'node:net'
import type { CallInfo, Lane } from '@laneway/core'
import { BoundedMap, createCallInfo, currentRequest, laneOfContext, type Trace, traceOf } from '@laneway/core/internal'
import type { Choice } from '@laneway/discovery'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import { headerValues, type PlainHeaders } from '../sent/headers.js'

/** Carries the decision of a call through interceptors, which copy options with their symbols. */
export const kCall: unique symbol = Symbol.for('laneway.undici.call.v1') as never

/** What is kept on the handler of a call, see `decide.ts`. */
export interface Kept {
  /** An object made by spreading a handler is another handler, so the handler itself is noted. */
  handler: DispatchHandler | undefined
  /** `undefined` once the call has ended, or when the handler serves several requests at a time. */
  call: Call | undefined
  /** Several requests use the handler at a time, and they have nothing in common. */
  shared: boolean
}

/** The outermost step of a call: it can end the call when no step below can. */
export interface CallRoot {
  readonly settled: boolean
  fail(error: unknown): void
}

/**
 * What was decided for one call of the user, and what its attempts have shown since. A call is its own {@link Kept} for its
 * first handler, which saves an object per request.
 */
export interface Call extends Kept {
  readonly lane: Lane | undefined
  /** What is kept for the calling code: its lane, with its trace if it has one. */
  readonly ambient: Lane | undefined
  /** Records the attempts of the call. */
  readonly trace: Trace | undefined
  /** The incoming request that the call was made for, while a log follows requests. */
  readonly incoming: object | undefined
  /** The caller set the tag by hand. */
  readonly handSet: boolean
  /** Where the current hop goes; a redirect changes it. */
  origin: string
  path: string | undefined
  /** 0 for the first target, counted up by redirects. */
  hop: number
  /** Dispatches of this hop so far. */
  attempts: number
  /** Endpoints that failed at connect level on this hop. */
  tried: Set<string> | undefined
  /** Headers of the first attempt at this hop. */
  headers: PlainHeaders | undefined
  /** The endpoint whose body the caller has begun to read. */
  source: Choice | undefined
  /** When it was chosen, as `EndpointPools.now()` counts. */
  sourceSeen: number
  /** How often the handler was dispatched. */
  dispatched: number
  /** Between dispatch and end. */
  open: boolean
  /** The handler is being notified of the end: what it dispatches now belongs to the same call. */
  ending: boolean
  /** Redirects of the call are noted, see `reportHead`. */
  watched: boolean
  /** A redirect answered the call: no later hop may keep a hand-set tag. */
  redirected: boolean
  root: CallRoot | undefined
}

/** @param handSet - the lane that the caller set by hand */
export function createCall(ambient: Lane | undefined, handSet: Lane | undefined, options: DispatchOptions): Call {
  return {
    handler: undefined,
    call: undefined,
    shared: false,
    lane: handSet ?? laneOfContext(ambient),
    ambient,
    trace: traceOf(ambient),
    incoming: currentRequest(),
    handSet: handSet !== undefined,
    origin: originText(options.origin),
    path: options.path,
    hop: 0,
    attempts: 0,
    tried: undefined,
    headers: undefined,
    source: undefined,
    sourceSeen: 0,
    dispatched: 0,
    open: false,
    ending: false,
    watched: false,
    redirected: false,
    root: undefined,
  }
}

/** Describes a call for events. @param choice - where the hop goes, for a service */
export function infoOf(call: Call, options: DispatchOptions, service?: string, choice?: Choice): CallInfo {
  const { method, path } = options as { method?: string; path?: string }
  return createCallInfo({ method, path, service, address: choice?.endpoint?.address, request: call.incoming })
}

/** Notes the target of the next attempt. A target other than before is a redirect, which starts afresh. */
export function enterHop(call: Call, options: DispatchOptions, headers: PlainHeaders): void {
  const origin = originText(options.origin)
  if (origin !== call.origin || options.path !== call.path) {
    call.origin = origin
    call.path = options.path
    call.hop++
    call.attempts = 0
    call.tried = undefined
    call.source = undefined
  }
  if (call.attempts++ === 0) call.headers = headers
}

/** The endpoint that an attempt must go to because the caller already has the first part of its body. */
export function resumedFrom(call: Call, headers: PlainHeaders): Choice | undefined {
  if (call.source === undefined || call.attempts === 1) return undefined
  const range = headerValues(headers, 'range')
  if (range === undefined) return undefined
  // A range that the caller asked for from the start resumes nothing.
  return String(range) === String(headerValues(call.headers ?? {}, 'range')) ? undefined : call.source
}

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
