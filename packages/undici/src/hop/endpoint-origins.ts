import { isIP } from 'node:net'
import { kAnyAddress } from '@laneway/core/internal'
import type { Endpoint } from '@laneway/discovery'

/** The origins under which undici knows an endpoint. */
export interface EndpointOrigins {
  readonly http: string
  readonly https: string
  /** The host is a name, and its resolver lets no endpoint lead to a forbidden address. */
  readonly unchecked: boolean
}

const known = new WeakMap<Endpoint, EndpointOrigins>()

/** Made once per endpoint. */
export function originsOf(endpoint: Endpoint): EndpointOrigins {
  let origins = known.get(endpoint)
  if (origins === undefined) {
    const unchecked = isIP(endpoint.host) === 0 && (endpoint as { [kAnyAddress]?: true })[kAnyAddress] !== true
    origins = { http: `http://${endpoint.address}`, https: `https://${endpoint.address}`, unchecked }
    known.set(endpoint, origins)
  }
  return origins
}
