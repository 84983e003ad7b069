import { BlockList, isIP } from 'node:net'
import { isForbiddenAddress, isForbiddenName } from '@laneway/core/internal'

// RFC 1123, section 2.1: letters, digits and inner hyphens, labels of 1 to 63.
const NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const MAX_NAME = 253
// Resolvers and URL parsers take such a name for an IPv4 address: `2852039166`, `127.1`, `0x7f.1`.
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

const notUnicast = new BlockList()
notUnicast.addAddress('::', 'ipv6')
notUnicast.addSubnet('ff00::', 8, 'ipv6')
// These match IPv4 inside IPv6 as well.
notUnicast.addSubnet('0.0.0.0', 8, 'ipv4')
notUnicast.addSubnet('224.0.0.0', 3, 'ipv4')

/** A host that may be connected to, or why it may not. */
export type EndpointHost = { readonly host: string; readonly problem?: undefined } | { readonly problem: string }

/**
 * Reads the host of an endpoint: an IP literal (IPv6 with or without brackets) or an RFC 1123 name. The result is
 * canonical, lower case and without brackets, so that one instance has one identity. Never throws.
 */
export function parseEndpointHost(value: unknown, allowLinkLocal: boolean): EndpointHost {
  if (typeof value !== 'string' || value === '') return { problem: 'host is not a string' }
  if (value.length > MAX_NAME + 2) return { problem: 'host is too long' }
  const bracketed = value.startsWith('[') && value.endsWith(']')
  const bare = bracketed ? value.slice(1, -1) : value
  const family = isIP(bare)
  if (family === 4 && !bracketed) return checkIpv4(bare, allowLinkLocal)
  if (family === 6) return checkIpv6(bare, allowLinkLocal)
  return bracketed ? { problem: 'host in brackets is no IPv6 address' } : checkName(bare, allowLinkLocal)
}

/** `host:port` with IPv6 in brackets: the only place where brackets are put. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

// By hand, because BlockList.check costs 2 µs a call and a first snapshot has thousands of these.
function checkIpv4(host: string, allowLinkLocal: boolean): EndpointHost {
  const first = Number(host.slice(0, host.indexOf('.')))
  if (first === 0 || first >= 224) return { problem: `${host} is not a unicast address` }
  if (!allowLinkLocal && isForbiddenAddress(host)) return linkLocal(host)
  return { host }
}

function checkIpv6(literal: string, allowLinkLocal: boolean): EndpointHost {
  if (literal.includes('%')) return { problem: 'an IPv6 zone cannot be part of a URL' }
  const host = new URL(`http://[${literal}]/`).hostname.slice(1, -1)
  if (notUnicast.check(host, 'ipv6')) return { problem: `${host} is not a unicast address` }
  if (!allowLinkLocal && isForbiddenAddress(host)) return linkLocal(host)
  return { host }
}

function checkName(value: string, allowLinkLocal: boolean): EndpointHost {
  const lower = value.toLowerCase()
  const host = lower.endsWith('.') ? lower.slice(0, -1) : lower
  if (host.length > MAX_NAME || !NAME.test(host))
    return { problem: 'host is neither an IP literal nor an RFC 1123 name' }
  if (ENDS_IN_NUMBER.test(host)) return { problem: 'host would be read as an IPv4 address in an odd form' }
  if (!allowLinkLocal && isForbiddenName(host)) return linkLocal(host)
  return { host }
}

function linkLocal(host: string): EndpointHost {
  return { problem: `${host} is link-local or a cloud metadata service (allowLinkLocal permits it)` }
}
