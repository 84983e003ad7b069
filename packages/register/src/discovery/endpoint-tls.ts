import type { EndpointTls } from '@laneway/core'
import type { RegisterConfig } from '../config/config.js'
import { readPem } from '../config/read-pem.js'

/**
 * Trust in instances that speak TLS; `undefined` when nothing is set.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for files that cannot be read
 */
export function endpointTlsOf(config: RegisterConfig): EndpointTls | undefined {
  const { endpointCaFile, endpointServerName, endpointCertFile, endpointKeyFile } = config
  const tls: EndpointTls = {}
  if (endpointCaFile !== undefined) tls.ca = readPem('LANEWAY_ENDPOINT_CA_FILE', endpointCaFile)
  if (endpointServerName !== undefined) tls.servername = endpointServerName
  if (endpointCertFile !== undefined) tls.cert = readPem('LANEWAY_ENDPOINT_CERT_FILE', endpointCertFile)
  if (endpointKeyFile !== undefined) tls.key = readPem('LANEWAY_ENDPOINT_KEY_FILE', endpointKeyFile)
  return Object.keys(tls).length === 0 ? undefined : tls
}
