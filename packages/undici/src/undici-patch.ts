import { kDone } from './call/call.js'
import { isCallersFault } from './call/callers-fault.js'
import { isDone, type LaneRoute, laneDispatch } from './capture.js'
import { directAgentOf } from './dispatcher/direct-agent.js'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher/dispatcher.js'
import { watchEndpointPools } from './dispatcher/endpoint-pools.js'
import { type Compose, generationOf, kOriginalCompose } from './dispatcher/generation.js'
import { hasSocketPath, internal } from './dispatcher/internals.js'
import { probeOf, routes, routesByClass } from './dispatcher/routes-by-origin.js'
import { isDnsRefusal, laneDispatcher } from './lane-dispatcher.js'
import { type FindMock, mocksOf } from './mock/mocks.js'
import { LANE_EGRESS_KEYS, type LaneEgressOptions, resolveEgressOptions } from './options.js'
import { redirectionsOf } from './redirect/redirections.js'

/**
 * Puts the lane into a copy of undici whose users know nothing of it. Replace on its prototypes
 *
 * - `dispatch` of `DispatcherBase`, and of each class that has one of its own and chooses by origin (`ProxyAgent`,
 *   `MockAgent`): the first one that a request meets decides, those below pass it on;
 * - `compose` of `Dispatcher`: what it returns decides above the interceptors, as `composeLane` does.
 */
export interface UndiciPatch {
  wrapDispatch<F extends (options: any, handler: any) => boolean>(original: F): F
  wrapCompose<F extends (...interceptors: any[]) => any>(original: F): F
  /** Says that the copy is about to make a MockPool or MockClient: its origin may belong to a mock from now on. */
  mocking(): void
}

/**
 * @param onFault - told of a fault of Laneway's own; the request then goes on as if it were not there
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createUndiciPatch(
  options: LaneEgressOptions = {},
  onFault: (error: unknown) => void = rethrow,
): UndiciPatch {
  const settings = resolveEgressOptions('createUndiciPatch', options, LANE_EGRESS_KEYS)
  /** By dispatcher: one route for what is dispatched, one for what is composed above a `dispatch` that is not patched. */
  const known = new WeakMap<object, LaneRoute>()
  const passing = new WeakMap<object, LaneRoute>()
  const patched = new WeakSet<object>()
  /** Requests handed on so far: a fault before one of them is Laneway's own. */
  let handedOn = 0
  let mocking = false

  function routeOf(dispatcher: LaneableDispatcher, original: Dispatch, passes = false): LaneRoute {
    const routes = passes ? passing : known
    const earlier = routes.get(dispatcher)
    if (earlier !== undefined) return earlier
    const { resolver } = settings
    const send: Dispatch = (opts, handler) => {
      handedOn++
      return original.call(dispatcher, opts, handler)
    }
    const unix = hasSocketPath(dispatcher)
    const agent =
      resolver === undefined || unix || passes || !steers(dispatcher, original) ? undefined : directAgentOf(dispatcher)
    const generation = generationOf(dispatcher)
    let found: FindMock | undefined
    let looked = false
    const mocks = () => {
      if (mocking && !looked) {
        looked = true
        found = mocksOf(dispatcher)
      }
      return found
    }
    const route: LaneRoute = {
      settings,
      generation,
      send,
      direct:
        agent === undefined || agent.dispatcher === dispatcher
          ? agent && send
          : (opts, handler) => {
              handedOn++
              return agent.dispatcher.dispatch(opts, handler)
            },
      pools: agent === undefined || resolver === undefined ? undefined : watchEndpointPools(resolver, agent.dispatcher),
      origin: ownOrigin(dispatcher),
      unix,
      varies: false,
      onFault,
      passes,
      redirections: passes ? 0 : redirectionsOf(dispatcher, generation),
      mocks,
    }
    routes.set(dispatcher, route)
    return route
  }

  return {
    mocking() {
      mocking = true
    },
    wrapDispatch(original) {
      const dispatch = function dispatch(this: LaneableDispatcher, opts: DispatchOptions, handler: DispatchHandler) {
        // Each level of a dispatcher may be patched; the options say when it has been done, and `original` is this level's.
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
          // One of the application's own may stand in front, and hands on to ours.
          const route = routeOf(this, this.dispatch, !patched.has(this.dispatch))
          return laneDispatcher(
            'compose',
            this,
            { route, release, mocking: nothing },
            interceptors.flat() as LaneableInterceptor[],
          )
        } catch (error) {
          // A program that uses dns() keeps working: its requests are tagged below, where the address is known.
          if (!isDnsRefusal(error)) onFault(error)
          return original.apply(this, interceptors)
        }
      }
      ;(compose as { [kOriginalCompose]?: Compose })[kOriginalCompose] = original as unknown as Compose
      return compose as never
    },
  }
}

async function release(): Promise<void> {}
function nothing(): void {}

function rethrow(error: unknown): never {
  throw error
}

/** Whether a dispatcher sends each request to its own origin. A minified class has no name to tell by. */
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
