import { BlockList } from 'node:net'

const privateAddresses = new BlockList()
privateAddresses.addSubnet('127.0.0.0', 8, 'ipv4')
privateAddresses.addAddress('::1', 'ipv6')
// RFC 1918
privateAddresses.addSubnet('10.0.0.0', 8, 'ipv4')
privateAddresses.addSubnet('172.16.0.0', 12, 'ipv4')
privateAddresses.addSubnet('192.168.0.0', 16, 'ipv4')
// RFC 4193, unique-local
privateAddresses.addSubnet('fc00::', 7, 'ipv6')
// RFC 6598, carrier-grade NAT: pods and VPCs of several clouds live here
privateAddresses.addSubnet('100.64.0.0', 10, 'ipv4')

/**
 * Whether an IP literal is loopback, RFC 1918, unique-local or carrier-grade NAT; IPv4 inside IPv6 counts as IPv4.
 *
 * @param address - a valid IP literal without brackets
 */
export function isPrivateAddress(address: string): boolean {
  return inList(privateAddresses, address)
}

/** Whether an IP literal is in a list; Node matches IPv4 rules against IPv4-mapped IPv6 by itself. */
export function inList(list: BlockList, address: string): boolean {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  // Not `isIPv6`: on Node 20 its expression takes 3 to 10 ms of a start to compile (benchmark case register/start).
  return list.check(bare, bare.includes(':') ? 'ipv6' : 'ipv4')
}
