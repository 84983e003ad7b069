import type { LaneableDispatcher, LaneableInterceptor } from './dispatcher/dispatcher.js'
import { assertRoutesByOrigin } from './dispatcher/routes-by-origin.js'
import { createRoute, laneDispatcher, warnIfComposed } from './lane-dispatcher.js'
import { type ComposeLaneOptions, resolveEgressOptions } from './options.js'

/**
 * Makes a dispatcher of undici 6, 7 or 8 keep the lane: each request carries the tag of the code that made it, and goes to
 * an endpoint of its lane where the resolver knows the host.
 *
 * The order is fixed: your interceptors stand between the outer step, which decides once per call, and the inner one, which
 * chooses per hop and attempt. So `retry()` tries another endpoint of the same lane, `redirect()` cannot carry a tag to a
 * third party, and `cache()` keeps lanes apart. `compose` of the result inserts at the same place.
 *
 * @param dispatcher - Agent, ProxyAgent, EnvHttpProxyAgent, a RetryAgent over an Agent, MockAgent
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
  const where = 'composeLane'
  const settings = resolveEgressOptions(where, options)
  if (!settings.routesByOrigin) assertRoutesByOrigin(where, dispatcher)
  warnIfComposed(where, dispatcher, options.warn)
  return laneDispatcher(where, dispatcher, createRoute(where, dispatcher, settings), interceptors)
}
