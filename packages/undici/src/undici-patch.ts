import type { EgressOptions } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { isCallersFault } from './call/callers-fault.js'
import { laneDispatch } from './capture.js'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher/dispatcher.js'
import { type Compose, kOriginalCompose } from './dispatcher/generation.js'
import { internal } from './dispatcher/internals.js'
import { createRoute, type LaneRoute } from './dispatcher/route.js'
import { probeOf, routes, routesByClass } from './dispatcher/routes-by-origin.js'
import { isDnsRefusal } from './interceptors.js'
import { laneDispatcher } from './lane-dispatcher.js'
import { resolveEgressOptions } from './options.js'
import { isDone, kDone } from './sent/sent-options.js'

/**
 * Puts the lane into a copy of undici whose users know nothing of it. Replace these methods on its prototypes:
 *
 * - `dispatch` of `DispatcherBase`, and of each class that has its own and chooses by origin (`ProxyAgent`, `MockAgent`). The
 *   first one that a request meets decides, and those below pass it on.
 * - `compose` of `Dispatcher`. Its result decides above the interceptors, as `composeLane` does.
 */
export interface UndiciPatch {
  wrapDispatch<F extends (options: any, handler: any) => boolean>(original: F): F
  wrapCompose<F extends (...interceptors: any[]) => any>(original: F): F
  /** To be called before the copy makes a MockPool or MockClient: from now on an origin may belong to a mock. */
  mocking(): void
}

/**
 * @param onFault - called with a fault of Laneway's own; the request then goes on without Laneway
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createUndiciPatch(
  options: EgressOptions<EgressResolver> = {},
  onFault: (error: unknown) => void = rethrow,
): UndiciPatch {
  const settings = resolveEgressOptions('createUndiciPatch', options)
  /** A route for each dispatcher, and one for what is composed above a `dispatch` that is not patched. */
  const known = new WeakMap<object, LaneRoute>()
  const passing = new WeakMap<object, LaneRoute>()
  const patched = new WeakSet<object>()
  /** Requests handed on so far. An error that is thrown before that is Laneway's own. */
  let handedOn = 0
  let mocking = false

  function routeOf(dispatcher: LaneableDispatcher, original: Dispatch, passes = false): LaneRoute {
    const routes = passes ? passing : known
    let route = routes.get(dispatcher)
    if (route === undefined) {
      route = createRoute(dispatcher, settings, {
        send: counted((options, handler) => original.call(dispatcher, options, handler)),
        sendBy: agent => counted((options, handler) => agent.dispatch(options, handler)),
        steers: () => steers(dispatcher, original),
        mocking: () => mocking,
        passes,
        composed: false,
        origin: ownOrigin(dispatcher),
        onFault,
      })
      routes.set(dispatcher, route)
    }
    return route
  }

  function counted(dispatch: Dispatch): Dispatch {
    return (options, handler) => {
      handedOn++
      return dispatch(options, handler)
    }
  }

  return {
    mocking() {
      mocking = true
    },
    wrapDispatch(original) {
      const dispatch = function dispatch(this: LaneableDispatcher, opts: DispatchOptions, handler: DispatchHandler) {
        // Each level of a dispatcher may be patched. The options say when one has decided; `original` belongs to this level.
        if (isDone(opts, handler)) return original.call(this, opts, handler)
        const before = handedOn
        try {
          return laneDispatch(routeOf(this, original), opts, handler)
        } catch (error) {
          if (handedOn !== before) throw error
          if (!isCallersFault(opts)) onFault(error)
          return original.call(this, opts, handler)
        }
      }
      patched.add(dispatch)
      return dispatch as never
    },
    wrapCompose(original) {
      const compose = function compose(this: LaneableDispatcher, ...interceptors: unknown[]) {
        try {
          // The application may have put its own `dispatch` in front, which hands on to the patched one.
          const route = routeOf(this, this.dispatch, !patched.has(this.dispatch))
          return laneDispatcher('compose', this, route, interceptors.flat() as LaneableInterceptor[])
        } catch (error) {
          // A program that uses dns() keeps working: the patched `dispatch` below tags its requests.
          if (!isDnsRefusal(error)) onFault(error)
          return original.apply(this, interceptors)
        }
      }
      ;(compose as { [kOriginalCompose]?: Compose })[kOriginalCompose] = original as unknown as Compose
      return compose as never
    },
  }
}

function rethrow(error: unknown): never {
  throw error
}

/** Whether a dispatcher sends each request to its own origin; by a probe where a minified class has no known name. */
function steers(dispatcher: LaneableDispatcher, original: Dispatch): boolean {
  const known = routesByClass(dispatcher)
  if (known !== undefined) return known
  const probed = {
    dispatch: (opts: DispatchOptions, handler: DispatchHandler) =>
      original.call(dispatcher, { ...opts, [kDone]: true }, handler),
  }
  return routes(probeOf(probed as LaneableDispatcher))
}

/** The origin of a Client or Pool, or the first of a BalancedPool. */
function ownOrigin(dispatcher: object): string {
  const url = internal(dispatcher, 'url')
  if (url instanceof URL) return url.origin
  const { upstreams } = dispatcher as { upstreams?: unknown }
  return Array.isArray(upstreams) && typeof upstreams[0] === 'string' ? upstreams[0] : ''
}
