import { LanewayError } from '@laneway/core'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher.js'
import { composeOf, generationOf } from './generation.js'
import { captureLane, type LaneRoute, laneDispatch, resolveLane } from './lane-route.js'
import { type ComposeLaneOptions, type EgressSettings, resolveEgressOptions } from './options.js'
import { assertRoutesByOrigin } from './routes-by-origin.js'

const WHERE = 'composeLane'

/**
 * Makes a dispatcher of undici 6, 7 or 8 keep the lane: each request carries the tag of the code that made it, and goes to
 * an endpoint of its lane where the resolver knows the host.
 *
 * The order is fixed: your interceptors stand between the outer step, which decides once per call, and the inner one, which
 * chooses per hop and attempt. So `retry()` tries another endpoint of the same lane, `redirect()` cannot carry a tag to a
 * third party, and `cache()` keeps lanes apart. `compose` of the result inserts at the same place.
 *
 * @param dispatcher - Agent, ProxyAgent, EnvHttpProxyAgent, a RetryAgent over one of these, MockAgent
 * @param interceptors - as for `dispatcher.compose`: the last one is the outermost
 * @returns a dispatcher for `fetch`, `request` and the rest of the same undici; closing it closes the one given
 * @throws LanewayError `LANEWAY_NOT_AN_AGENT` for a dispatcher of one origin, `LANEWAY_INVALID_OPTION` otherwise. Requests
 * fail with `LANEWAY_UNDICI_MISMATCH`, `LANEWAY_NO_BASE`, `LANEWAY_LANE_REQUIRED`, `LANEWAY_NOT_READY` or
 * `LANEWAY_RESUME_MOVED`, delivered as undici delivers its own errors.
 */
export function composeLane<D extends LaneableDispatcher>(
  dispatcher: D,
  options: ComposeLaneOptions = {},
  ...interceptors: LaneableInterceptor[]
): D {
  const settings = resolveEgressOptions(WHERE, options)
  if (!settings.routesByOrigin) assertRoutesByOrigin(WHERE, dispatcher)
  return compose(dispatcher, routeOf(dispatcher, settings), interceptors)
}

function routeOf(dispatcher: LaneableDispatcher, settings: EgressSettings): LaneRoute {
  const send: Dispatch = (options, handler) => dispatcher.dispatch(options, handler)
  return {
    settings,
    generation: generationOf(dispatcher),
    send,
    direct: send,
    listed: () => true,
    unix: false,
  }
}

function compose<D extends LaneableDispatcher>(
  dispatcher: D,
  route: LaneRoute,
  interceptors: readonly LaneableInterceptor[],
): D {
  const dispatch = interceptors.length === 0 ? plain(route) : layered(dispatcher, route, interceptors)
  const own = {
    dispatch,
    close: (...args: unknown[]) => dispatcher.close(...args),
    destroy: (...args: unknown[]) => dispatcher.destroy(...args),
    compose: (...more: unknown[]) =>
      compose(dispatcher, route, [...interceptors, ...(more.flat() as LaneableInterceptor[])]),
  }
  return new Proxy(dispatcher, {
    get: (target, key) =>
      Object.hasOwn(own, key) ? own[key as keyof typeof own] : (target as Record<string | symbol, unknown>)[key],
  })
}

function plain(route: LaneRoute): Dispatch {
  return function laneDispatcher(options: DispatchOptions, handler: DispatchHandler): boolean {
    return laneDispatch(route, options, handler)
  }
}

function layered(
  dispatcher: LaneableDispatcher,
  route: LaneRoute,
  interceptors: readonly LaneableInterceptor[],
): Dispatch {
  const dispatcherCompose = composeOf(dispatcher)
  if (dispatcherCompose === undefined) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: this dispatcher has no compose(), so it takes no interceptors`,
    )
  }
  const inner: { dispatch: Dispatch } = {
    dispatch: (options, handler) => resolveLane(route, options, handler),
  }
  // The copy's own compose, because undici 7 converts handlers between interceptors.
  const composed = dispatcherCompose.call(inner, ...interceptors)
  const next: Dispatch = (options, handler) => composed.dispatch(options, handler)
  return function laneDispatcher(options: DispatchOptions, handler: DispatchHandler): boolean {
    return captureLane(route, next, options, handler)
  }
}
