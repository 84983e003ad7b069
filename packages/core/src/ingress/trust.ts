import { isIP } from 'node:net'
import { LanewayError } from '../errors.js'
import { describe } from '../known-keys.js'
import { isPrivateAddress } from './private-address.js'
import type { IngressRequest } from './request.js'

/**
 * Who may colour a request.
 *
 * - `private`: socket peers on loopback, RFC 1918, unique-local and carrier-grade NAT addresses, and the peers of a server
 *   that listens on a unix socket: they are processes of this host, as on loopback. Behind a load balancer, or a local
 *   proxy that serves the public, every peer is private: the first service behind one needs `edge`.
 * - `internal`: everybody.
 * - `edge`: nobody; this is where the public comes in.
 * - a predicate: `true` believes this request. One that throws believes nothing.
 */
export type Trust = 'private' | 'internal' | 'edge' | ((request: any) => boolean)

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveTrust(where: string, trust: Trust = 'private'): (request: IngressRequest) => boolean {
  if (typeof trust === 'function') {
    return request => {
      try {
        return trust(request) === true
      } catch {
        return false
      }
    }
  }
  if (trust === 'internal') return () => true
  if (trust === 'edge') return () => false
  if (trust === 'private') return hasPrivatePeer
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where}: trust is "private", "internal", "edge" or a function, received ${describe(trust)}`,
  )
}

/** Peers seen lately: a check of the address lists costs 1.5 µs, and a service has few callers. */
const MAX_PEERS = 1024
const peers = new Map<string, boolean>()

function hasPrivatePeer(request: IngressRequest): boolean {
  const address = request.socket?.remoteAddress
  if (address === undefined) return isOfUnixSocket(request.socket)
  const known = peers.get(address)
  if (known !== undefined) return known
  const verdict = isIP(address) !== 0 && isPrivateAddress(address)
  if (peers.size >= MAX_PEERS) peers.clear()
  peers.set(address, verdict)
  return verdict
}

/** A TCP connection that was reset or destroyed has no address either, so the server has to say that it listens on a path. */
function isOfUnixSocket(socket: IngressRequest['socket']): boolean {
  const { server, destroyed } = Object(socket) as { server?: { address?(): unknown } | null; destroyed?: boolean }
  try {
    return destroyed !== true && typeof server?.address?.() === 'string'
  } catch {
    return false
  }
}
