import { type EndpointTls, forbidden, guardLookup, isForbiddenAddress, type Lookup } from '@laneway/core'
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

/** The origins of endpoints given as names, kept on the factory that looks at them. */
const kOrigins = Symbol.for('laneway.undici.guarded.v1')

type GuardedFactory = Factory & { [kOrigins]?: Set<string> }

/**
 * Lets an Agent check, for the origins in the returned set, what their names resolve to: a registry could lead a request to
 * a metadata service by a name. Pools of all other origins are made as before.
 *
 * @returns `undefined` when the Agent cannot be reached: it is wrapped, or of a class of its own
 */
export function guardedOrigins(agent: LaneableDispatcher): Set<string> | undefined {
  // Its pools are mocks, which connect nowhere.
  if (classNames(agent).includes('MockAgent')) return new Set()
  const symbol = Object.getOwnPropertySymbols(agent).find(one => one.description === 'factory')
  if (symbol === undefined) return undefined
  const owner = agent as unknown as Record<symbol, GuardedFactory>
  const original = owner[symbol]
  if (typeof original !== 'function') return undefined
  const known = original[kOrigins]
  if (known !== undefined) return known
  const origins = new Set<string>()
  const factory: GuardedFactory = function factory(origin, options) {
    return original.call(this, origin, origins.has(originText(origin)) ? guardedOptions(options) : options)
  }
  factory[kOrigins] = origins
  const secured = (original as SecuredFactory)[kSecured]
  if (secured !== undefined) (factory as SecuredFactory)[kSecured] = secured
  owner[symbol] = factory
  return origins
}

const kSecured = Symbol.for('laneway.undici.secured.v1')

type SecuredFactory = Factory & { [kSecured]?: Map<string, EndpointTls> }

/**
 * Lets an Agent connect to the origins in the returned map with the TLS options beside them.
 *
 * @returns `undefined` when the Agent cannot be reached: it is wrapped, or of a class of its own
 */
export function securedOrigins(agent: LaneableDispatcher): Map<string, EndpointTls> | undefined {
  if (classNames(agent).includes('MockAgent')) return new Map()
  const symbol = Object.getOwnPropertySymbols(agent).find(one => one.description === 'factory')
  if (symbol === undefined) return undefined
  const owner = agent as unknown as Record<symbol, SecuredFactory & GuardedFactory>
  const original = owner[symbol]
  if (typeof original !== 'function') return undefined
  if (original[kSecured] !== undefined) return original[kSecured]
  const origins = new Map<string, EndpointTls>()
  const factory: SecuredFactory & GuardedFactory = function factory(origin, options) {
    const tls = origins.get(originText(origin))
    // A connector of the user's own trusts as it likes.
    const own = tls === undefined || typeof options.connect === 'function'
    return original.call(this, origin, own ? options : { ...options, connect: { ...Object(options.connect), ...tls } })
  }
  factory[kSecured] = origins
  if (original[kOrigins] !== undefined) factory[kOrigins] = original[kOrigins]
  owner[symbol] = factory
  return origins
}

function guardedOptions(options: PoolOptions): PoolOptions {
  const { connect, tls } = options
  if (typeof connect === 'function') return { ...options, connect: guardedConnector(connect as Connector) }
  const settings = { ...Object(tls), ...Object(connect) } as { lookup?: Lookup }
  return { ...options, connect: { ...Object(connect), lookup: guardLookup(settings.lookup) } }
}

/** A connector of the user's own resolves by itself: its connection is looked at before anything is written to it. */
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
