import type { ConnectionOptions } from 'node:tls'
import { LanewayError } from '../errors.js'
import { assertKnownKeys, describe } from '../known-keys.js'

/** How adapters trust instances that speak TLS although the URL says `http` (Nacos metadata `secure=true`). */
export interface EndpointTls {
  /** PEM certificates of the CAs that signed theirs. @default Node's own roots and `NODE_EXTRA_CA_CERTS` */
  ca?: ConnectionOptions['ca']
  /** The name that their certificates must have, sent as SNI. @default the service name of the URL */
  servername?: string
  /** PEM certificate and key of this process, where they ask for one. @default none */
  cert?: ConnectionOptions['cert']
  key?: ConnectionOptions['key']
  /** `false` believes every certificate; for tests only. @default true */
  rejectUnauthorized?: boolean
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveEndpointTls(where: string, input: EndpointTls | undefined): EndpointTls | undefined {
  if (input === undefined) return undefined
  assertKnownKeys(`${where}: endpointTls`, input, ['ca', 'servername', 'cert', 'key', 'rejectUnauthorized'])
  const { servername } = input
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: endpointTls.servername is a host name, received ${describe(servername)}`,
    )
  }
  return Object.freeze({ ...input })
}
