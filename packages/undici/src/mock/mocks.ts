import { kLane } from '@laneway/core'
import { type Call, kDone } from '../call/call.js'
import { originText, type Target } from '../call/target.js'
import type { LaneRoute } from '../capture.js'
import type { Dispatch, DispatchHandler, DispatchOptions, LaneableDispatcher } from '../dispatcher/dispatcher.js'
import { classNames, internal } from '../dispatcher/internals.js'
import { type PlainHeaders, withHeaderInShape } from '../sent/headers.js'
import { laneOutside } from '../sent/outside.js'

/** A MockPool or MockClient: a dispatcher with answers of the user's, and a way to the network for the rest. */
export interface Mock {
  dispatch: Dispatch
}

/** Finds the mock that stands for an origin. */
export type FindMock = (origin: string | URL | undefined) => Mock | undefined

/** Carries what is to happen when no answer of a mock fits and the network is allowed. */
const kUnmatched = Symbol('laneway.undici.unmatched')

type Unmatched = (handler: DispatchHandler) => boolean

/**
 * The mocks of a dispatcher: a MockAgent makes one for each origin; an Agent inside a MockAgent holds them among its pools.
 *
 * @returns `undefined` for what cannot have any
 */
export function mocksOf(dispatcher: LaneableDispatcher): FindMock | undefined {
  if (isMock(dispatcher)) return () => dispatcher as unknown as Mock
  const [name] = classNames(dispatcher)
  const { get } = dispatcher as { get?: (origin: string) => unknown }
  if (name === 'MockAgent' && typeof get === 'function') {
    return origin => asMock(get.call(dispatcher, originText(origin)))
  }
  const pools = internal(dispatcher, 'clients')
  if (!(pools instanceof Map)) return undefined
  return origin => {
    const text = originText(origin)
    return asMock(pools.get(text) ?? pools.get(text.toLowerCase()))
  }
}

/** undici 7 and 8 count the requests of a pool beside it. */
function asMock(entry: unknown): Mock | undefined {
  const pool = (Object(entry) as { dispatcher?: unknown }).dispatcher ?? entry
  return isMock(pool) ? pool : undefined
}

function isMock(value: unknown): value is Mock {
  return typeof value === 'object' && value !== null && typeof Object(internal(value, 'mock agent')).get === 'function'
}

/**
 * Sends a request to the mock of its origin, which sees the origin that the user wrote, the shape of headers that the user
 * gave, and the tag.
 *
 * @param unmatched - what the mock does in place of its own connection, for a service: goes to an endpoint
 */
export function sendToMock(
  route: LaneRoute,
  call: Call,
  options: DispatchOptions,
  headers: PlainHeaders,
  target: Target | undefined,
  mock: Mock,
  handler: DispatchHandler,
  unmatched: Unmatched | undefined,
): boolean {
  const { resolver, header } = route.settings
  const service =
    target !== undefined && resolver?.match(target.hostname, target.port, target.secure) !== undefined
      ? call.lane
      : laneOutside(route, call, headers, target)
  const copy: DispatchOptions = { ...options, [kLane]: call.lane, [kDone]: true }
  copy.headers = withHeaderInShape(options.headers, headers, header, service?.header)
  if (unmatched !== undefined) {
    copy[kUnmatched] = unmatched
    hookNetwork(mock)
  }
  return route.send(copy, handler)
}

const hooked = new WeakSet<Mock>()

/** A mock that finds no answer, and may use the network, goes on as the pool that it is: through the step that sends. */
function hookNetwork(mock: Mock): void {
  if (hooked.has(mock)) return
  hooked.add(mock)
  const key = sendingKey(mock)
  if (key === undefined) return
  const methods = mock as unknown as Record<symbol, Dispatch>
  const original = methods[key] as Dispatch
  Object.defineProperty(mock, key, {
    configurable: true,
    enumerable: false,
    writable: true,
    value: function laneNetwork(this: unknown, options: DispatchOptions, handler: DispatchHandler) {
      const unmatched = options[kUnmatched] as Unmatched | undefined
      return unmatched === undefined ? original.call(this, options, handler) : unmatched(handler)
    },
  })
}

function sendingKey(mock: object): symbol | undefined {
  for (let owner: object | null = mock; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner).find(one => one.description === 'dispatch')
    if (key !== undefined) return key
  }
  return undefined
}

/** The network for an endpoint that was chosen for an unmatched request: a MockAgent has nothing but mocks among its pools. */
export function pastMocks(mock: Mock): Dispatch {
  return (options, handler) => {
    const agent = internal(mock, 'mock agent') as { get(origin: string): object }
    const pool = agent.get(originText(options.origin))
    return (Object.getPrototypeOf(pool) as Mock).dispatch.call(pool, options, handler)
  }
}
