import { isIP } from 'node:net'
import { BoundedMap } from '../bounded-map.js'
import type { OptionPlace } from '../options/option-place.js'
import { isPrivateAddress } from './private-address.js'
import type { IngressRequest } from './request.js'
import { type RequestView, viewOf } from './request-view.js'

/**
 * Who may colour a request.
 *
 * - `private`: socket peers on loopback, RFC 1918, unique-local and carrier-grade NAT addresses, and the peers of a server
 *   that listens on a unix socket: they are processes of this host, as on loopback. Behind a load balancer, or a local
 *   proxy that serves the public, every peer is private: the first service behind one needs `edge`.
 * - `internal`: everybody.
 * - `edge`: no sender, because the public can reach this ingress.
 * - a predicate: `true` believes this request. One that throws believes nothing.
 */
export type Trust = 'private' | 'internal' | 'edge' | ((request: RequestView) => boolean)

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveTrust(trust: Trust | undefined, place: OptionPlace): (request: IngressRequest) => boolean {
  if (typeof trust === 'function') {
    return request => {
      try {
        return trust(viewOf(request)) === true
      } catch {
        return false
      }
    }
  }
  if (trust === 'internal') return () => true
  if (trust === 'edge') return () => false
  if (trust === undefined || trust === 'private') return hasPrivatePeer
  throw place.unexpected('"private", "internal", "edge" or a function', trust)
}

/** Peers seen lately: a check of the address lists costs 1.5 µs, and a service has few callers. */
const MAX_PEERS = 1024
const peers = new BoundedMap<string, boolean>(MAX_PEERS)

function hasPrivatePeer(request: IngressRequest): boolean {
  const address = request.socket?.remoteAddress
  if (address === undefined) return isOfUnixSocket(request.socket)
  return peers.of(address, isPrivatePeer)
}

function isPrivatePeer(address: string): boolean {
  return isIP(address) !== 0 && isPrivateAddress(address)
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
