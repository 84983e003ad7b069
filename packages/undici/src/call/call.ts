import { type CallInfo, createCallInfo, currentRequest, kLane, type Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import { boundBody } from '../sent/bound-body.js'
import { headerValues, type PlainHeaders } from '../sent/headers.js'
import { originText } from './target.js'

/** Carries the decision of a call through interceptors, which copy options with their symbols. */
export const kCall: unique symbol = Symbol.for('laneway.undici.call.v1') as never
/** Marks options that Laneway is done with, for the dispatchers below, of this copy of the package or another. */
export const kDone: unique symbol = Symbol.for('laneway.undici.done.v1') as never

/** What was decided for one call of the user, and what its attempts have shown since. */
export interface Call extends Kept {
  readonly lane: Lane | undefined
  /** The lane of the calling code. */
  readonly ambient: Lane | undefined
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
  /** While the handler is told of the end: what it dispatches now belongs to the same call. */
  ending: boolean
  /** Its redirects are noted, see `tellOfHead`. */
  watched: boolean
  /** It was answered by a redirect: whatever hop comes next, a hand-set tag stays behind. */
  redirected: boolean
  /** Told when the call can no longer end by itself. */
  root: { readonly settled: boolean; fail(error: unknown): void } | undefined
}

/** @param handSet - the lane that the caller set by hand */
export function createCall(ambient: Lane | undefined, handSet: Lane | undefined, options: DispatchOptions): Call {
  return {
    handler: undefined,
    call: undefined,
    shared: false,
    lane: handSet ?? ambient,
    ambient,
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

/** For events. @param choice - where the hop goes, for a service */
export function infoOf(call: Call, options: DispatchOptions, service?: string, choice?: Choice): CallInfo {
  const { method, path } = options as { method?: string; path?: string }
  return createCallInfo({ method, path, service, address: choice?.endpoint?.address, request: call.incoming })
}

/** Notes that the call goes to a target; another one than before is a redirect and starts afresh. */
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

/**
 * Keeps the call on its handler: a WeakMap costs 2 µs a request, most of it when garbage is collected (benchmark case
 * `hop/fastify`).
 */
const kKept = Symbol('laneway.undici.kept')
/** For handlers that take no properties. */
const keptApart = new WeakMap<DispatchHandler, Kept>()
let anyApart = false

/**
 * What is known of the handler of a call; `handler`, because an object made by spreading a handler is another one. A call
 * is this itself for its first handler, which saves an object per request.
 */
interface Kept {
  handler: DispatchHandler | undefined
  /** `undefined` once it has ended, or when the handler serves several requests at a time: these have nothing in common. */
  call: Call | undefined
  shared: boolean
}

function keptOf(handler: DispatchHandler): Kept | undefined {
  const kept = (handler as { [kKept]?: Kept })[kKept]
  if (kept?.handler === handler) return kept
  return anyApart ? keptApart.get(handler) : undefined
}

/**
 * The decision that a handler already has. A retry that stands outside, or a `RetryAgent`, dispatches the same handler
 * again after it failed, from whatever context; a redirect does while it is told of the end.
 */
export function knownCall(handler: DispatchHandler, options: DispatchOptions): Call | undefined {
  const kept = keptOf(handler)
  const call = kept?.call
  if (kept === undefined || call === undefined || kept.shared) return undefined
  if (call.open) {
    kept.shared = true
    kept.call = undefined
    return undefined
  }
  if (call.ending || (call.path === options.path && call.origin === originText(options.origin))) return call
  return undefined
}

export function keepCall(handler: DispatchHandler, call: Call): void {
  call.dispatched++
  call.open = true
  const kept = keptOf(handler)
  if (kept === undefined) {
    if (call.handler !== undefined) keepFirst(handler, { handler, call, shared: false })
    else {
      call.handler = handler
      call.call = call
      keepFirst(handler, call)
    }
  } else if (!kept.shared) kept.call = call
}

function keepFirst(handler: DispatchHandler, kept: Kept): void {
  try {
    ;(handler as { [kKept]?: Kept })[kKept] = kept
  } catch {
    // Frozen. Asking first costs more than the rest of this function (benchmark case egress/undici/inject).
    keptApart.set(handler, kept)
    anyApart = true
  }
}

export function forgetCall(handler: DispatchHandler): void {
  const kept = keptOf(handler)
  if (kept !== undefined) kept.call = undefined
}

/**
 * V8 of Node 20 takes 2 µs for each key that is added to what a spread has made, later ones copy at half the price what
 * does not stand behind other keys (benchmark case egress/undici/inject).
 */
const KEYS_IN_FRONT = Number.parseInt(process.versions.v8, 10) < 12

/** A copy of the options that says what was decided; the caller's object is never written to. */
export function decidedOptions(options: DispatchOptions, call: Call): DispatchOptions {
  const copy: DispatchOptions = KEYS_IN_FRONT
    ? { [kCall]: call, [kLane]: call.lane, headers: undefined, ...options }
    : { ...options }
  copy[kCall] = call
  copy[kLane] = call.lane
  return copy
}

/** The copy that goes below Laneway. */
export function doneOptions(options: DispatchOptions, call: Call): DispatchOptions {
  const copy: DispatchOptions = KEYS_IN_FRONT
    ? { [kLane]: call.lane, [kDone]: true, headers: undefined, servername: undefined, ...options }
    : { ...options }
  copy[kLane] = call.lane
  copy[kDone] = true
  const { body } = copy
  if (typeof body === 'object' && body !== null) copy.body = boundBody(body, call.ambient)
  return copy
}
