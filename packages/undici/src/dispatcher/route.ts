import { LanewayError } from '@laneway/core'
import { type FindMock, mocksOf } from '../mock/mocks.js'
import type { UndiciSettings } from '../options.js'
import { type Redirections, redirectionsOf } from '../redirect/redirections.js'
import { directAgentOf } from './direct-agent.js'
import type { Dispatch, DispatchOptions, LaneableDispatcher } from './dispatcher.js'
import { type EndpointPools, watchEndpointPools } from './endpoint-pools.js'
import { type Generation, generationOf } from './generation.js'
import { classNames, hasSocketPath } from './internals.js'
import { ServiceHandles } from './service-handles.js'

/** Where requests of one dispatcher go, and by which rules. */
export interface LaneRoute {
  readonly settings: UndiciSettings
  readonly generation: Generation
  /** The dispatcher itself: for hosts that are not resolved. */
  readonly send: Dispatch
  /** For chosen endpoints, past any proxy; `undefined` when the dispatcher cannot be steered. */
  readonly direct: Dispatch | undefined
  readonly pools: EndpointPools | undefined
  /** `undefined` when nothing is resolved. */
  readonly handles: ServiceHandles | undefined
  /** Where requests without an origin go: a Client has one of its own. */
  readonly origin: string
  /** The connections go to a unix socket: nothing is resolved or tagged. */
  readonly unix: boolean
  /** Responses say from the start that they depend on the lane; else from the first lane on, and those of services. */
  readonly varies: boolean
  /** The dispatcher hands requests on to another one, which resolves. */
  readonly passes: boolean
  /** What undici 6 follows below, unless a request says how many; else 0. */
  readonly redirections: Redirections
  /** Of a preload: a call for which deciding failed goes on without Laneway, and this is called with the reason. */
  readonly onFault: ((error: unknown) => void) | undefined
  /** Finds the mock of an origin; `undefined` while the dispatcher has no mocks. */
  mocks(): FindMock | undefined
  /** A MockAgent is being put around the dispatcher: from now on its pools may be mocks. */
  expectMocks(): void
  /** Closes what was made for the route, but not the dispatcher itself. */
  release(how: 'close' | 'destroy'): Promise<void>
}

/** How many redirects undici 6 would follow below. A value that is no number is left to undici, which refuses it. */
export function redirectionsOfCall(route: LaneRoute, options: DispatchOptions): Redirections {
  const { redirections, generation } = route
  const asked = options['maxRedirections']
  if (asked === undefined || generation.modern) return redirections
  return typeof asked === 'number' && asked > 0 && Number.isInteger(asked) ? asked : 0
}

/** How the route of a composed dispatcher differs from that of one whose class is patched. */
export interface RouteRules {
  /** Sends as the dispatcher would without Laneway. */
  readonly send: Dispatch
  /** Sends by another dispatcher, which goes past the proxy of this one. */
  sendBy(dispatcher: LaneableDispatcher): Dispatch
  /** Whether the dispatcher sends each request to its own origin; asked only where there are endpoints to choose. */
  steers(): boolean
  /** Whether a mock may have been made for the dispatcher. */
  mocking(): boolean
  readonly passes: boolean
  /** The route belongs to a dispatcher that Laneway made, and ends with it. */
  readonly composed: boolean
  readonly origin: string
  readonly onFault: ((error: unknown) => void) | undefined
}

export function createRoute(
  dispatcher: LaneableDispatcher,
  settings: UndiciSettings,
  { send, sendBy, steers, mocking, passes, composed, origin, onFault }: RouteRules,
): LaneRoute {
  const { resolver } = settings
  const unix = hasSocketPath(dispatcher)
  const generation = generationOf(dispatcher)
  const agent = resolver === undefined || unix || passes || !steers() ? undefined : directAgentOf(dispatcher)
  const pools =
    agent === undefined || resolver === undefined ? undefined : watchEndpointPools(resolver, agent.dispatcher)
  let expected = false
  let looked = false
  let found: FindMock | undefined
  return {
    settings,
    generation,
    send,
    direct: agent === undefined ? undefined : agent.dispatcher === dispatcher ? send : sendBy(agent.dispatcher),
    pools,
    handles: agent === undefined || resolver === undefined ? undefined : new ServiceHandles(resolver),
    origin,
    unix,
    varies: composed,
    passes,
    redirections: passes ? 0 : redirectionsOf(dispatcher, generation),
    onFault,
    mocks() {
      if (!looked && (expected || mocking())) {
        looked = true
        found = mocksOf(dispatcher)
      }
      return found
    },
    expectMocks() {
      expected = true
    },
    async release(how) {
      if (!composed) return
      pools?.stop()
      if (agent?.owned === true) await agent.dispatcher[how]()
    },
  }
}

/**
 * The route of a dispatcher that the user hands over.
 *
 * @throws LanewayError `LANEWAY_NOT_AN_AGENT` when requests to chosen endpoints cannot go past the dispatcher's proxy
 */
export function composedRoute(where: string, dispatcher: LaneableDispatcher, settings: UndiciSettings): LaneRoute {
  const isMock = classNames(dispatcher)[0] === 'MockAgent'
  const route = createRoute(dispatcher, settings, {
    send: toDispatch(dispatcher),
    sendBy: toDispatch,
    steers: () => true,
    mocking: () => isMock,
    passes: false,
    composed: true,
    origin: '',
    onFault: undefined,
  })
  if (route.direct !== undefined || route.unix || settings.resolver === undefined) return route
  throw new LanewayError(
    'LANEWAY_NOT_AN_AGENT',
    `${where}: requests to chosen endpoints would go to the proxy of this dispatcher, which Laneway cannot go around; ` +
      'pass the ProxyAgent itself, and put a RetryAgent around the result',
  )
}

function toDispatch(dispatcher: LaneableDispatcher): Dispatch {
  return (options, handler) => dispatcher.dispatch(options, handler)
}
