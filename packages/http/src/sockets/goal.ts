import { isIP } from 'node:net'
import { guardLookup, kAnyAddress } from '@laneway/core/internal'
import type { Endpoint } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'

/** Where a connection goes. Without `address` it is a host that is no service. */
export type Goal = Pick<Endpoint, 'host' | 'port'> & { readonly address?: string }

/**
 * Finds the addresses of a goal that is given as a name.
 *
 * @param options - of the connection: its `lookup`, `family` and `hints` count, as in `net.connect`
 */
export function lookUpGoal(
  goal: Goal,
  options: HopOptions | undefined,
  callback: (error: Error | null, addresses: string[]) => void,
): void {
  // An import would load `dns.promises`, too, at every start.
  const {
    lookup: given = process.getBuiltinModule('node:dns').lookup,
    family,
    hints,
  } = (options ?? {}) as {
    lookup?: any
    family?: any
    hints?: any
  }
  // The name of an endpoint does not show that it leads to a metadata service; the resolver has checked an address.
  const lookup = isUnchecked(goal) ? guardLookup(given) : given
  lookup(goal.host, { all: true, family, hints }, (error: Error | null, found: unknown) => {
    if (error) {
      callback(error, [])
      return
    }
    const list = Array.isArray(found) ? found.map(one => one.address as string) : [found as string]
    callback(
      null,
      list.filter(address => isIP(address) !== 0),
    )
  })
}

/** Whether a goal is an endpoint whose resolver lets none lead to a forbidden address. */
function isUnchecked(goal: Goal): boolean {
  return goal.address !== undefined && (goal as { [kAnyAddress]?: true })[kAnyAddress] !== true
}
