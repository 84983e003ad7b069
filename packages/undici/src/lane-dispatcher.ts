import { captureLane, laneDispatch } from './capture.js'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher/dispatcher.js'
import { composeOf } from './dispatcher/generation.js'
import type { LaneRoute } from './dispatcher/route.js'
import { noCompose, refusingDns } from './interceptors.js'
import { resolveLane } from './resolve.js'

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
