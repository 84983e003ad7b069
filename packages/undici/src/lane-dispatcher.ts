import { emitLanewayWarning, LanewayError, type Warn } from '@laneway/core'
import { captureLane, type LaneRoute, laneDispatch, resolveLane } from './capture.js'
import { directAgentOf } from './dispatcher/direct-agent.js'
import type {
  Dispatch,
  DispatchHandler,
  DispatchOptions,
  LaneableDispatcher,
  LaneableInterceptor,
} from './dispatcher/dispatcher.js'
import { watchEndpointPools } from './dispatcher/endpoint-pools.js'
import { composeOf, generationOf } from './dispatcher/generation.js'
import { classNames, hasSocketPath } from './dispatcher/internals.js'
import { mocksOf } from './mock/mocks.js'
import type { EgressSettings } from './options.js'
import { redirectionsOf } from './redirect/redirections.js'

/** A route with what has to be ended when its dispatcher is closed. */
export interface OwnedRoute {
  readonly route: LaneRoute
  /** A MockAgent is being put around the dispatcher: its pools may be mocks from now on. */
  mocking(): void
  /** Ends what belongs to the route, not the dispatcher itself. */
  release(how: 'close' | 'destroy'): Promise<void>
}

/** @throws LanewayError `LANEWAY_NOT_AN_AGENT` when a resolved request could not go past the dispatcher's proxy */
export function createRoute(where: string, dispatcher: LaneableDispatcher, settings: EgressSettings): OwnedRoute {
  const unix = hasSocketPath(dispatcher)
  const send: Dispatch = (options, handler) => dispatcher.dispatch(options, handler)
  const generation = generationOf(dispatcher)
  let found = classNames(dispatcher)[0] === 'MockAgent' ? mocksOf(dispatcher) : undefined
  const mocks = () => found
  const mocking = () => {
    found ??= mocksOf(dispatcher)
  }
  const { resolver } = settings
  if (resolver === undefined || unix) {
    return {
      route: {
        settings,
        generation,
        send,
        direct: undefined,
        pools: undefined,
        origin: '',
        unix,
        varies: true,
        passes: false,
        redirections: redirectionsOf(dispatcher, generation),
        mocks,
      },
      mocking,
      release: async () => {},
    }
  }
  const agent = directAgentOf(dispatcher)
  if (agent === undefined) {
    throw new LanewayError(
      'LANEWAY_NOT_AN_AGENT',
      `${where}: requests to chosen endpoints would go to the proxy of this dispatcher, which cannot be gone around; ` +
        'give the ProxyAgent itself, and put a RetryAgent around the result',
    )
  }
  const direct = agent.dispatcher === dispatcher ? send : toDispatch(agent.dispatcher)
  const pools = watchEndpointPools(resolver, agent.dispatcher)
  return {
    route: {
      settings,
      generation,
      send,
      direct,
      pools,
      origin: '',
      unix,
      varies: true,
      passes: false,
      redirections: redirectionsOf(dispatcher, generation),
      mocks,
    },
    mocking,
    async release(how) {
      pools.stop()
      if (agent.owned) await agent.dispatcher[how]()
    },
  }
}

function toDispatch(dispatcher: LaneableDispatcher): Dispatch {
  return (options, handler) => dispatcher.dispatch(options, handler)
}

/** The dispatcher with the lane built in: same object otherwise, so that it passes for what it was. */
export function laneDispatcher<D extends LaneableDispatcher>(
  where: string,
  dispatcher: D,
  owned: OwnedRoute,
  interceptors: readonly LaneableInterceptor[],
): D {
  const { route } = owned
  const dispatch = interceptors.length === 0 ? plain(route) : layered(where, dispatcher, route, interceptors)
  const own: Record<string, unknown> = {
    dispatch,
    compose: (...more: unknown[]) =>
      laneDispatcher(where, dispatcher, owned, [...interceptors, ...(more.flat() as LaneableInterceptor[])]),
    close: (callback?: (error: unknown, data: unknown) => void) => end(owned, dispatcher, 'close', [], callback),
    destroy: (...args: unknown[]) => {
      const callback = args.at(-1)
      return typeof callback === 'function'
        ? end(owned, dispatcher, 'destroy', args.slice(0, -1), callback as never)
        : end(owned, dispatcher, 'destroy', args, undefined)
    },
  }
  return new Proxy(dispatcher, {
    get(target, key) {
      // What every request asks for.
      if (key === 'dispatch') return dispatch
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key]
      // What a MockAgent takes of the Agent it is given, and nobody else.
      if (typeof key === 'symbol' && key.description === 'clients') owned.mocking()
      return (target as Record<string | symbol, unknown>)[key]
    },
  })
}

function end(
  owned: OwnedRoute,
  dispatcher: LaneableDispatcher,
  how: 'close' | 'destroy',
  args: readonly unknown[],
  callback: ((error: unknown, data: unknown) => void) | undefined,
): Promise<unknown> | undefined {
  const done = Promise.all([dispatcher[how](...args), owned.release(how)])
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
  if (compose === undefined) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: this dispatcher has no compose(), so it takes no interceptors`,
    )
  }
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

function refusingDns(where: string, interceptor: LaneableInterceptor): LaneableInterceptor {
  if (typeof interceptor !== 'function') return interceptor
  return (...args) => {
    const dispatch = interceptor(...args)
    if (isDns(dispatch)) throw noDns(where)
    return dispatch
  }
}

/** `interceptors.dns()` can be told by the name of the function it makes, and by nothing else. */
function isDns(dispatch: unknown): boolean {
  return typeof dispatch === 'function' && dispatch.name === 'dnsInterceptor'
}

/** Whether an error is the refusal of `interceptors.dns()`. */
export function isDnsRefusal(error: unknown): boolean {
  return error instanceof LanewayError && error.message.includes('interceptors.dns()')
}

function noDns(where: string): LanewayError {
  return new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where}: interceptors.dns() replaces the host by an address before an endpoint can be chosen; leave it out, resolved ` +
      'services need no DNS',
  )
}

/** Interceptors below Laneway see endpoints, not services, and no `Vary`: a cache there would mix lanes. */
export function warnIfComposed(where: string, dispatcher: LaneableDispatcher, warn: Warn = emitLanewayWarning): void {
  if (isDns(dispatcher.dispatch)) throw noDns(where)
  const proto = Object(Object.getPrototypeOf(dispatcher)) as { dispatch?: unknown; constructor?: { name?: unknown } }
  // A proxy around an Agent (undici 7, 8) or an object of a class of its own (6); a dispatcher of the user's is neither.
  const composed =
    proto.constructor?.name === 'ComposedDispatcher' ||
    (typeof proto.dispatch === 'function' && dispatcher.dispatch !== proto.dispatch)
  if (!composed) return
  if (isLaneDispatcher(dispatcher)) return
  warn(
    `${where}: this dispatcher was composed before; its interceptors run below Laneway, where a cache mixes lanes and a ` +
      `retry stays with one endpoint: pass them to ${where} instead`,
  )
}

function isLaneDispatcher(dispatcher: LaneableDispatcher): boolean {
  return dispatcher.dispatch.name === 'laneDispatcher'
}
