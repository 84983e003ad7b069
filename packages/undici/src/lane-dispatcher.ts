import { isLeftAlone } from '@laneway/core/internal'
import { type Call, kCall } from './call/call.js'
import { callOf, dispatchAfresh, endedCall, knownCall } from './call/decide.js'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher/dispatcher.js'
import { composeOf } from './dispatcher/generation.js'
import { type LaneRoute, redirectionsOfCall } from './dispatcher/route.js'
import { noCompose, refusingDns } from './interceptors.js'
import { accepts, createExchange, deliverError, dispatchBy, mismatch, resolveLane, sendAttempt } from './resolve.js'
import { readHeaders, withLaneInShape } from './sent/headers.js'
import { decidedOptions, isDone, kDone } from './sent/sent-options.js'

/**
 * A dispatcher with the lane built in. It is a proxy of the one given, so that it passes for that one.
 *
 * @param interceptors - stand between the step that decides and the step that chooses
 */
export function laneDispatcher<D extends LaneableDispatcher>(
  where: string,
  dispatcher: D,
  route: LaneRoute,
  interceptors: readonly LaneableInterceptor[],
): D {
  const dispatch = interceptors.length === 0 ? plain(route) : layered(where, dispatcher, route, interceptors)
  const own: Record<string, unknown> = {
    dispatch,
    compose: (...more: unknown[]) =>
      laneDispatcher(where, dispatcher, route, [...interceptors, ...(more.flat() as LaneableInterceptor[])]),
    close: (callback?: (error: unknown, data: unknown) => void) => end(route, dispatcher, 'close', [], callback),
    destroy: (...args: unknown[]) => {
      const callback = args.at(-1)
      return typeof callback === 'function'
        ? end(route, dispatcher, 'destroy', args.slice(0, -1), callback as never)
        : end(route, dispatcher, 'destroy', args, undefined)
    },
  }
  return new Proxy(dispatcher, {
    get(target, key) {
      // What every request asks for.
      if (key === 'dispatch') return dispatch
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key]
      // Only a MockAgent asks the Agent that it is given for this.
      if (typeof key === 'symbol' && key.description === 'clients') route.expectMocks()
      return (target as Record<string | symbol, unknown>)[key]
    },
  })
}

function end(
  route: LaneRoute,
  dispatcher: LaneableDispatcher,
  how: 'close' | 'destroy',
  args: readonly unknown[],
  callback: ((error: unknown, data: unknown) => void) | undefined,
): Promise<unknown> | undefined {
  const done = Promise.all([dispatcher[how](...args), route.release(how)])
  if (callback === undefined) return done.then(([result]) => result)
  done.then(
    () => callback(null, null),
    error => callback(error, null),
  )
  return undefined
}

function plain(route: LaneRoute): Dispatch {
  return function laneDispatcher(options: DispatchOptions, handler: DispatchHandler): boolean {
    return laneDispatch(route, options, handler)
  }
}

function layered(
  where: string,
  dispatcher: LaneableDispatcher,
  route: LaneRoute,
  interceptors: readonly LaneableInterceptor[],
): Dispatch {
  const compose = composeOf(dispatcher)
  if (compose === undefined) throw noCompose(where)
  const inner: { dispatch: Dispatch } = { dispatch: (options, handler) => resolveLane(route, options, handler) }
  // The copy's own compose, because undici 7 converts handlers between interceptors.
  const composed = compose.apply(
    inner,
    interceptors.map(interceptor => refusingDns(where, interceptor)),
  )
  const next: Dispatch = (options, handler) => composed.dispatch(options, handler)
  return function laneDispatcher(options: DispatchOptions, handler: DispatchHandler): boolean {
    return captureLane(route, next, options, handler)
  }
}

/** Whether a dispatcher is one of Laneway's. */
export function isLaneDispatcher(dispatcher: LaneableDispatcher): boolean {
  return dispatcher.dispatch.name === 'laneDispatcher'
}

/** Capture and resolve in one step, for a dispatcher without interceptors in between. */
export function laneDispatch(route: LaneRoute, options: DispatchOptions, handler: DispatchHandler): boolean {
  if (isDone(options, handler)) return route.send(options, handler)
  // Decided further out, by interceptors of a dispatcher that hands on to this one.
  if (options[kCall] !== undefined) return resolveLane(route, options, handler)
  if (!accepts(route.generation, handler)) return refuseHandler(route, handler)
  const ended = endedCall()
  if (isLeftAlone() && isNew(ended, options, handler)) return route.send({ ...options, [kDone]: true }, handler)
  return ended === undefined
    ? dispatchInLane(route, options, handler, undefined)
    : dispatchAfresh(dispatchInLane, route, options, handler, ended)
}

function dispatchInLane(
  route: LaneRoute,
  options: DispatchOptions,
  handler: DispatchHandler,
  ended: Call | undefined,
): boolean {
  if (redirectionsOfCall(route, options) !== 0) {
    return captureInLane(route, dispatchBy(resolveLane, route), options, handler, ended)
  }
  const headers = readHeaders(options)
  if (headers === undefined) return route.send(options, handler)
  const call = callOf(route.settings, options, headers, handler, ended)
  const exchange = createExchange(route, call, options, headers, handler)
  exchange.outermost = true
  return sendAttempt(exchange)
}

/** The outermost step: decides, and writes the tag where the user's interceptors (caches above all) see it. */
export function captureLane(
  route: LaneRoute,
  next: Dispatch,
  options: DispatchOptions,
  handler: DispatchHandler,
): boolean {
  if (isDone(options, handler)) return next(options, handler)
  if (!accepts(route.generation, handler)) return refuseHandler(route, handler)
  const ended = endedCall()
  if (isLeftAlone() && isNew(ended, options, handler)) return next({ ...options, [kDone]: true }, handler)
  return ended === undefined
    ? captureInLane(route, next, options, handler, undefined)
    : dispatchAfresh(captureInLane, route, next, options, handler, ended)
}

function captureInLane(
  route: LaneRoute,
  next: Dispatch,
  options: DispatchOptions,
  handler: DispatchHandler,
  ended: Call | undefined,
): boolean {
  let copy: DispatchOptions
  let exchange: DispatchHandler
  try {
    const headers = readHeaders(options)
    if (headers === undefined) return next(options, handler)
    const { settings } = route
    const call = callOf(settings, options, headers, handler, ended)
    copy = decidedOptions(options, call)
    copy.headers = withLaneInShape(options.headers, headers, settings, call.lane)
    const root = createExchange(route, call, options, headers, handler)
    root.outermost = true
    root.vary = settings.vary
    call.root = root
    exchange = root
  } catch (error) {
    if (route.onFault === undefined) throw error
    route.onFault(error)
    return next(options, handler)
  }
  return next(copy, exchange)
}

/** Whether a dispatch begins a call: a call that is sent again keeps what was decided for it. */
function isNew(ended: Call | undefined, options: DispatchOptions, handler: DispatchHandler): boolean {
  return ended === undefined && options[kCall] === undefined && knownCall(handler, options) === undefined
}

function refuseHandler(route: LaneRoute, handler: DispatchHandler): boolean {
  deliverError(handler, mismatch(route.generation, handler))
  return true
}
