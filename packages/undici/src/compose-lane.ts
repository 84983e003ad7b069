import { emitLanewayWarning, isDisabled, type Warn } from '@laneway/core/internal'
import type { LaneableDispatcher, LaneableInterceptor } from './dispatcher/dispatcher.js'
import { composeOf } from './dispatcher/generation.js'
import { composedRoute } from './dispatcher/route.js'
import { assertRoutesByOrigin } from './dispatcher/routes-by-origin.js'
import { isDns, noCompose, noDns } from './interceptors.js'
import { isLaneDispatcher, laneDispatcher } from './lane-dispatcher.js'
import { type ComposeLaneOptions, resolveComposeOptions } from './options.js'

/**
 * Makes a dispatcher of undici 6, 7 or 8 keep the lane: each request carries the tag of the code that made it. Where the
 * resolver knows the host, the request goes to an endpoint of its lane.
 *
 * The order is fixed: your interceptors stand between the outer step, which decides once per call, and the inner step, which
 * chooses per hop and attempt. So `retry()` tries another endpoint of the same lane, `redirect()` cannot carry a tag to a
 * third party, and `cache()` keeps lanes apart. `compose` of the result inserts at the same place.
 *
 * @param dispatcher - Agent, ProxyAgent, EnvHttpProxyAgent, a RetryAgent over an Agent, MockAgent
 * @param interceptors - as for `dispatcher.compose`: the last one is the outermost
 * Under `LANEWAY_DISABLE` with `all` or `undici` it only composes the interceptors, as undici does.
 *
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
  return isDisabled(['undici'])
    ? composePlain(dispatcher, interceptors)
    : composeAlways(dispatcher, options, ...interceptors)
}

function composePlain<D extends LaneableDispatcher>(dispatcher: D, interceptors: LaneableInterceptor[]): D {
  if (interceptors.length === 0) return dispatcher
  const compose = composeOf(dispatcher)
  if (compose === undefined) throw noCompose('composeLane')
  return compose.apply(dispatcher, interceptors) as unknown as D
}

/** What {@link composeLane} does, whatever `LANEWAY_DISABLE` says: for the gateway, which is nothing without lanes. */
export function composeAlways<D extends LaneableDispatcher>(
  dispatcher: D,
  options: ComposeLaneOptions = {},
  ...interceptors: LaneableInterceptor[]
): D {
  const where = 'composeLane'
  const settings = resolveComposeOptions(where, options)
  if (!settings.routesByOrigin) assertRoutesByOrigin(where, dispatcher)
  warnIfComposed(where, dispatcher, options.warn)
  return laneDispatcher(where, dispatcher, composedRoute(where, dispatcher, settings), interceptors)
}

/** Interceptors below Laneway see endpoints, not services, and no `Vary`: a cache there would mix lanes. */
function warnIfComposed(where: string, dispatcher: LaneableDispatcher, warn: Warn = emitLanewayWarning): void {
  if (isDns(dispatcher.dispatch)) throw noDns(where)
  const proto = Object(Object.getPrototypeOf(dispatcher)) as { dispatch?: unknown; constructor?: { name?: unknown } }
  // A proxy around an Agent (undici 7, 8) or an object of a class of its own (6); a dispatcher of the user's is neither.
  const composed =
    proto.constructor?.name === 'ComposedDispatcher' ||
    (typeof proto.dispatch === 'function' && dispatcher.dispatch !== proto.dispatch)
  if (!composed || isLaneDispatcher(dispatcher)) return
  warn(
    `${where}: this dispatcher was composed before; its interceptors run below Laneway, where a cache mixes lanes and a ` +
      `retry stays with one endpoint: pass them to ${where} instead`,
  )
}
