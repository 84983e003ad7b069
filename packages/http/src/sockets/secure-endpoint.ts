import { isIP, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { type EndpointTls, LanewayError } from '@laneway/core'
import type { Endpoint } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'

/**
 * Whether a connection to an instance that speaks TLS can succeed: Node trusts more than its own roots, or Laneway has TLS
 * options.
 */
export function mayMeetTls(tls: EndpointTls | undefined): boolean {
  const { NODE_EXTRA_CA_CERTS, NODE_TLS_REJECT_UNAUTHORIZED } = process.env
  return tls !== undefined || Boolean(NODE_EXTRA_CA_CERTS) || NODE_TLS_REJECT_UNAUTHORIZED === '0'
}

/**
 * Makes the connections to one endpoint that speaks TLS, in place of an agent for plain HTTP.
 *
 * @param hostname - of the URL: the name that the certificate must have, unless the options say another
 */
export function connectSecurely(tls: EndpointTls | undefined, hostname: string): (options: HopOptions) => Socket {
  return options => {
    const servername = tls?.servername ?? (isIP(hostname) === 0 ? hostname : '')
    return connect({ ...options, ...tls, servername, ALPNProtocols: ['http/1.1'] } as never)
  }
}

/** The error of a connection that was made in plain text for an endpoint that speaks TLS, or the other way round. */
export function wrongTransport(
  service: string,
  { address, secure }: Pick<Endpoint, 'address' | 'secure'>,
): LanewayError {
  const meant = secure === true ? 'speaks TLS (secure=true in the registry)' : 'speaks no TLS'
  return new LanewayError(
    'LANEWAY_NOT_READY',
    `the connection for ${service} cannot go to ${address}, which ${meant}: the other kind of connection had begun before ` +
      'that was known. Repeat the request; with endpointTls (LANEWAY_ENDPOINT_CA_FILE) the first one waits for the answer',
  )
}
