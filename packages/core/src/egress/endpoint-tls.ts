import type { ConnectionOptions } from 'node:tls'
import { flag, text, unchecked } from '../options/option.js'
import { OptionPlace } from '../options/option-place.js'
import { type OptionTable, readOptions } from '../options/read-options.js'

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

const OPTIONS = {
  ca: unchecked(),
  servername: text(undefined),
  cert: unchecked(),
  key: unchecked(),
  rejectUnauthorized: flag(undefined),
} satisfies OptionTable<EndpointTls>

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveEndpointTls(where: string, input: EndpointTls | undefined): EndpointTls | undefined {
  if (input === undefined) return undefined
  readOptions(new OptionPlace(where, ['endpointTls']), input, OPTIONS)
  return Object.freeze({ ...input })
}
