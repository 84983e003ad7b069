import { isIP } from 'node:net'
import { guardLookup, kAnyAddress, type Lookup } from '@laneway/core'
import type { HopOptions } from './node-internals.js'

/**
 * The options of a connection to an endpoint. An endpoint given as a name is checked when it is resolved, because the name
 * alone does not say that it leads to a metadata service. An address was checked when it entered the table.
 */
export function endpointConnection(options: HopOptions): HopOptions {
  if (options[kAnyAddress] === true || isIP(options.host ?? '') !== 0) return options
  return { ...options, lookup: guardLookup(options['lookup'] as Lookup | undefined) }
}
