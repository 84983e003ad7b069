import { LanewayError } from '@laneway/core'
import { isOff, lanesSeen, TRACE_HEADER } from '@laneway/core/internal'
import { type Aim, aimOf, type Call, enterHop, kCall, originText, targetOfOrigin } from './call/call.js'
import { decide } from './call/decide.js'
import type { Dispatch, DispatchHandler, DispatchOptions } from './dispatcher/dispatcher.js'
import type { Generation } from './dispatcher/generation.js'
import { type LaneRoute, redirectionsOfCall } from './dispatcher/route.js'
import type { Exchange } from './exchange/exchange.js'
import { LegacyExchange } from './exchange/legacy-exchange.js'
import { ModernExchange } from './exchange/modern-exchange.js'
import { ServiceHop } from './hop/service-hop.js'
import { waitUntilReady } from './hop/wait-until-ready.js'
import { type Mock, pastMocks } from './mock/mocks.js'
import { sendToMock } from './mock/send-to-mock.js'
import { RedirectFollower } from './redirect/redirect-follower.js'
import { askedTrace, cameWithHost, handSetValues, type PlainHeaders, readHeaders, sentHeaders } from './sent/headers.js'
import { sendOutside } from './sent/outside.js'
import { doneOptions, isDone } from './sent/sent-options.js'

/** The innermost step, once per hop and attempt. */
export function resolveLane(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (route.passes || isDone(options, handler)) return route.send(options, handler)
  const redirections = redirectionsOfCall(route, options)
  if (redirections === 0) return resolveHop(route, options, handler)
  const own: DispatchOptions = { ...options, throwOnMaxRedirect: false }
  if (redirections !== 'hidden') own['maxRedirections'] = 0
  const throws = options['throwOnMaxRedirect'] === true
  return resolveHop(route, own, new RedirectFollower(dispatchBy(resolveHop, route), redirections, own, handler, throws))
}

type Step = (route: LaneRoute, options: DispatchOptions, handler: DispatchHandler) => boolean

/** A function of its own: a function with a closure in it costs an object at each call, whether or not the closure is made. */
export function dispatchBy(step: Step, route: LaneRoute): Dispatch {
  return (options, handler) => step(route, options, handler)
}

function resolveHop(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  const headers = readHeaders(options)
  if (headers === undefined) return route.send(options, handler)
  // An interceptor that made new options has lost the symbol, but kept the header. The context is never read here.
  let call: Call
  if (isOff() && options[kCall] === undefined && handSetValues(headers, route.settings) === undefined) {
    return route.send(options, handler)
  }
  try {
    call = (options[kCall] as Call | undefined) ?? decide(route.settings, options, headers, undefined)
  } catch (error) {
    if (route.onFault === undefined) throw error
    route.onFault(error)
    return route.send(options, handler)
  }
  if (accepts(route.generation, handler)) return sendAttempt(createExchange(route, call, options, headers, handler))
  const error = mismatch(route.generation, handler)
  try {
    deliverError(handler, error)
  } catch {
    // An interceptor of another generation may be unable to pass the error on, so the outermost step reports it.
  }
  if (call.root?.settled === false) call.root.fail(error)
  return true
}

/** Sends one attempt: to an endpoint when its target is a service, else where it would go without Laneway. */
export function sendAttempt(exchange: Exchange): boolean {
  const { route, call, options } = exchange
  enterHop(call, options, exchange.headers)
  const aim = aimOf(options)
  exchange.target = aim === undefined ? targetOfOrigin(originText(options.origin) || route.origin) : aim.target
  let mock: Mock | undefined
  try {
    mock = route.mocks()?.(options.origin)
    exchange.hop = serviceHopOf(exchange, aim, mock)
  } catch (error) {
    markVary(exchange)
    if (route.onFault === undefined) {
      exchange.fail(error)
      return true
    }
    route.onFault(error)
    return sendOutside(exchange)
  }
  markVary(exchange)
  const { hop } = exchange
  if (mock !== undefined) return sendPastMock(exchange, mock, hop)
  return hop === undefined ? sendOutside(exchange) : sendToService(exchange, hop)
}

function sendPastMock(exchange: Exchange, mock: Mock, hop: ServiceHop | undefined): boolean {
  return sendToMock(exchange, mock, hop && (() => sendToService(exchange, hop)))
}

/** Below the user's interceptors responses say that they depend on the lane, so that caches keep lanes apart. */
function markVary(exchange: Exchange): void {
  const { route, outermost, hop } = exchange
  if (!outermost && (route.varies || hop !== undefined || lanesSeen())) exchange.vary = route.settings.vary
}

/** @returns `undefined` when the target is no service, or cannot be reached past the dispatcher's proxy */
function serviceHopOf(exchange: Exchange, aim: Aim | undefined, mock: Mock | undefined): ServiceHop | undefined {
  const { route, call, options, headers, target } = exchange
  const { settings, direct, handles } = route
  if (handles === undefined || direct === undefined || target === undefined || aim?.tunnel === true) return undefined
  const handle = handles.of(target)
  const service = handle.match()
  if (service === undefined) return undefined
  const copy = doneOptions(options, call)
  if (aim?.path !== undefined) copy.path = aim.path
  const sent = sentHeaders(headers, settings, call.lane, target.host, true)
  exchange.asksPath = call.trace?.open === true
  const asked = askedTrace() ?? (exchange.asksPath ? '1' : undefined)
  if (asked !== undefined) sent.push(TRACE_HEADER, asked)
  copy.headers = sent
  // What undici would derive from `Host`, by a check for addresses that costs 2 µs.
  if (!cameWithHost()) copy.servername ??= target.servername
  return new ServiceHop(exchange, handle, service, copy, mock === undefined ? direct : pastMocks(mock))
}

function sendToService(exchange: Exchange, hop: ServiceHop): boolean {
  try {
    const choice = hop.pick()
    if (choice.outcome !== 'not-ready') return hop.sendTo(choice)
    sendWhenReady(exchange, hop)
  } catch (error) {
    // An error of undici, or of the handler.
    if (hop.handedOn || exchange.settled) throw error
    hop.fault(error)
  }
  return true
}

function sendWhenReady(exchange: Exchange, hop: ServiceHop): void {
  const { route, handler } = exchange
  const proceed = (error?: unknown) => {
    try {
      if (!hop.isService()) hop.sendUnresolved()
      else if (error === undefined) hop.sendTo(hop.pick())
      else exchange.fail(error)
    } catch (thrown) {
      hop.fault(thrown)
    }
  }
  waitUntilReady(hop, handler, isModern(route, handler), proceed, error => exchange.fail(error))
}

/** The exchange for a handler, of the handler's own generation. */
export function createExchange(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  handler: DispatchHandler,
): Exchange {
  return isModern(route, handler)
    ? new ModernExchange(route, call, options, headers, handler)
    : new LegacyExchange(route, call, options, headers, handler)
}

/** Whether a handler is called by the methods of undici 7 and 8. */
function isModern(route: LaneRoute, handler: DispatchHandler): boolean {
  return route.generation.modern && typeof handler.onRequestStart === 'function'
}

/** Whether a dispatcher of this generation would call the handler at all. */
export function accepts(generation: Generation, handler: DispatchHandler): boolean {
  if (typeof handler.onRequestStart === 'function') return generation.modern || typeof handler.onConnect === 'function'
  // A handler that is neither is left to undici, which says what is missing.
  return generation.legacy || typeof handler.onConnect !== 'function'
}

export function mismatch(generation: Generation, handler: DispatchHandler): LanewayError {
  const theirs = typeof handler.onRequestStart === 'function' ? 'undici 8' : 'undici 7 or older'
  return new LanewayError(
    'LANEWAY_UNDICI_MISMATCH',
    `the dispatcher is of undici ${generation.undici} and the request comes from ${theirs} (or from the fetch built into Node ` +
      `${process.versions.node}, which is undici ${process.versions['undici'] ?? 'unknown'}): call fetch or request of the undici ` +
      'that made the dispatcher, or use createLaneFetch() for the built-in fetch',
  )
}

/** Ends a request with an error, by the method of the handler's own generation, as undici does when it refuses options. */
export function deliverError(handler: DispatchHandler, error: unknown): void {
  if (typeof handler.onRequestStart === 'function' || typeof handler.onError !== 'function') {
    if (typeof handler.onResponseError !== 'function') throw error
    handler.onResponseError(null, error)
  } else handler.onError(error)
}
