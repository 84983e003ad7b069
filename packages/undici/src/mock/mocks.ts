import { originText } from '../call/target.js'
import type { Dispatch, DispatchHandler, DispatchOptions, LaneableDispatcher } from '../dispatcher/dispatcher.js'
import { classNames, internal } from '../dispatcher/internals.js'

/** A MockPool or MockClient: a dispatcher with answers that the user set, and a way to the network for the rest. */
export interface Mock {
  dispatch: Dispatch
}

/** Finds the mock that stands for an origin. */
export type FindMock = (origin: string | URL | undefined) => Mock | undefined

/** Carries the {@link Unmatched} of a request. */
export const kUnmatched: unique symbol = Symbol('laneway.undici.unmatched')

/** Sends a request over the network in place of a mock, when no answer of the mock fits. */
export type Unmatched = () => boolean

/**
 * The mocks of a dispatcher: a MockAgent makes one for each origin; an Agent inside a MockAgent holds them among its pools.
 *
 * @returns `undefined` for a dispatcher that cannot have any
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

const hooked = new WeakSet<Mock>()

/** Replaces the method by which a mock that finds no answer uses the network. */
export function hookNetwork(mock: Mock): void {
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
      return unmatched === undefined ? original.call(this, options, handler) : unmatched()
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

/** Sends an unmatched request to its endpoint over the network, although all pools of a MockAgent are mocks. */
export function pastMocks(mock: Mock): Dispatch {
  return (options, handler) => {
    const agent = internal(mock, 'mock agent') as { get(origin: string): object }
    const pool = agent.get(originText(options.origin))
    return (Object.getPrototypeOf(pool) as Mock).dispatch.call(pool, options, handler)
  }
}
