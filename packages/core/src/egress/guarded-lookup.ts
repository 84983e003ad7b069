import { LanewayError } from '../errors.js'
import { isForbiddenAddress } from './forbidden-address.js'

/**
 * Marks an endpoint that its resolver lets lead anywhere (`allowLinkLocal`), so that what its name resolves to is not
 * checked. Registered, because two copies of this package may meet.
 */
export const kAnyAddress: unique symbol = Symbol.for('laneway.endpoint.anyAddress') as never

/** `dns.lookup`, and what `lookup` of `net.connect` may be. */
export type Lookup = (hostname: string, options: any, callback: (...args: any[]) => void) => unknown

/**
 * Wraps a look-up, so that no connection to an endpoint goes to a link-local or metadata address: an endpoint given as a name
 * says only when it is resolved where it leads. Forbidden addresses are left out of an answer; when no other is left, the
 * look-up fails with `LANEWAY_FORBIDDEN_ADDRESS`, and so does the connection.
 *
 * @param lookup - what would be called @default dns.lookup, as it is when the name is resolved
 */
export function guardLookup(lookup: Lookup | undefined): Lookup {
  return function guardedLookup(hostname, options, callback) {
    // Programs replace `dns.lookup`; `net` looks at it as late.
    const inner = lookup ?? (process.getBuiltinModule('node:dns').lookup as Lookup)
    return inner(hostname, options, (error: unknown, found: unknown, ...more: unknown[]) => {
      if (error !== null && error !== undefined) callback(error, found, ...more)
      else if (!Array.isArray(found)) {
        if (isForbidden(found)) callback(forbidden(hostname, found))
        else callback(null, found, ...more)
      } else {
        const allowed = found.filter(one => !isForbidden(Object(one).address))
        if (allowed.length === 0 && found.length > 0) callback(forbidden(hostname, Object(found[0]).address))
        else callback(null, allowed, ...more)
      }
    })
  }
}

/** The error of a connection that would go to a link-local or metadata address. */
export function forbidden(hostname: string, address: unknown): LanewayError {
  return new LanewayError(
    'LANEWAY_FORBIDDEN_ADDRESS',
    `the endpoint ${hostname} resolves to ${String(address)}, which is link-local or a cloud metadata service ` +
      '(allowLinkLocal of the resolver permits it)',
  )
}

function isForbidden(address: unknown): boolean {
  return typeof address === 'string' && isForbiddenAddress(address)
}
