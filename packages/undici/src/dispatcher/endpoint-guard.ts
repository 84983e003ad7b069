import type { EndpointTls } from '@laneway/core'
import { forbidden, guardLookup, isForbiddenAddress, type Lookup } from '@laneway/core/internal'
import { originText } from '../call/target.js'
import type { LaneableDispatcher } from './dispatcher.js'
import { classNames } from './internals.js'

/** Options with which an Agent makes its pools. */
interface PoolOptions {
  connect?: unknown
  tls?: unknown
  [key: string]: unknown
}

type Factory = (this: unknown, origin: string | URL, options: PoolOptions) => unknown

type Connector = (this: unknown, options: { hostname?: string }, callback: (...args: any[]) => void) => unknown

/** The endpoints of an Agent whose connections Laneway changes, kept on the factory of its pools. */
export interface GuardedEndpoints {
  /** Origins of endpoints given as names: their connections check what the name resolves to. */
  readonly checked: Set<string>
  /** TLS options by origin. */
  readonly secured: Map<string, EndpointTls>
}

const kGuarded = Symbol.for('laneway.undici.guarded.v2')

type GuardedFactory = Factory & { [kGuarded]?: GuardedEndpoints }

/**
 * Lets an Agent make the pools of endpoints with other options: a registry could lead a request to a metadata service by a
 * name, and an endpoint may need TLS options of its own. Pools of all other origins are made as before.
 *
 * @returns `undefined` when the Agent cannot be reached: it is wrapped, or of a class of its own
 */
export function guardEndpoints(agent: LaneableDispatcher): GuardedEndpoints | undefined {
  // Its pools are mocks, which connect nowhere.
  if (classNames(agent).includes('MockAgent')) return { checked: new Set(), secured: new Map() }
  const symbol = Object.getOwnPropertySymbols(agent).find(one => one.description === 'factory')
  if (symbol === undefined) return undefined
  const owner = agent as unknown as Record<symbol, GuardedFactory>
  const original = owner[symbol]
  if (typeof original !== 'function') return undefined
  if (original[kGuarded] !== undefined) return original[kGuarded]
  const endpoints: GuardedEndpoints = { checked: new Set(), secured: new Map() }
  const { checked, secured } = endpoints
  const factory: GuardedFactory = function factory(origin, options) {
    const text = originText(origin)
    const withTls = securedOptions(options, secured.get(text))
    return original.call(this, origin, checked.has(text) ? guardedOptions(withTls) : withTls)
  }
  factory[kGuarded] = endpoints
  owner[symbol] = factory
  return endpoints
}

/** A connector of the user's own has its own trust. */
function securedOptions(options: PoolOptions, tls: EndpointTls | undefined): PoolOptions {
  if (tls === undefined || typeof options.connect === 'function') return options
  return { ...options, connect: { ...Object(options.connect), ...tls } }
}

function guardedOptions(options: PoolOptions): PoolOptions {
  const { connect, tls } = options
  if (typeof connect === 'function') return { ...options, connect: guardedConnector(connect as Connector) }
  const settings = { ...Object(tls), ...Object(connect) } as { lookup?: Lookup }
  return { ...options, connect: { ...Object(connect), lookup: guardLookup(settings.lookup) } }
}

/** A connector of the user's own resolves by itself, so its connection is checked before anything is written to it. */
function guardedConnector(connect: Connector): Connector {
  return function guardedConnector(options, callback) {
    return connect.call(this, options, (error: unknown, socket?: { remoteAddress?: string; destroy(): void }) => {
      const address = socket?.remoteAddress
      if (error || socket === undefined || address === undefined || !isForbiddenAddress(address))
        callback(error, socket)
      else {
        socket.destroy()
        callback(forbidden(options.hostname ?? 'of a service', address), null)
      }
    })
  }
}
