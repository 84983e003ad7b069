/**
 * Names under which clouds answer at a link-local address, lower case. Resolvers of clouds know `metadata` and
 * `instance-data`, too, but those may be services.
 */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'api.metadata.cloud.ibm.com',
  'metadata.tencentyun.com',
  'instance-data.ec2.internal',
])

/** Amazon's name of the metadata service, one for each region. */
const EC2_INSTANCE_DATA = /^instance-data\.[a-z0-9-]+\.compute\.internal$/

/** Metadata services outside the link-local range. */
const FORBIDDEN_IPV4: ReadonlySet<number> = new Set([
  // Alibaba Cloud
  ipv4('100.100.100.200'),
  // Azure: the host agent of every virtual machine
  ipv4('168.63.129.16'),
  // Oracle Cloud
  ipv4('192.0.0.192'),
])

const FORBIDDEN_IPV6: readonly (readonly number[])[] = [
  // AWS: metadata, credentials of EKS pods
  ipv6('fd00:ec2::254'),
  ipv6('fd00:ec2::23'),
  // Google Cloud
  ipv6('fd20:ce::254'),
  // Oracle Cloud
  ipv6('fd00:c1::a9fe:a9fe'),
  // Scaleway
  ipv6('fd00:42::42'),
]

/**
 * Whether an IP literal is link-local or a cloud's service for its own machines, above all metadata: nothing of ours is
 * ever sent there. IPv4 inside IPv6 counts as IPv4, in each way to write it: mapped, compatible, translated (RFC 2765),
 * NAT64 (RFC 6052, RFC 8215), 6to4, Teredo, ISATAP. Never throws.
 *
 * @param address - an IP literal without brackets; a zone is ignored
 */
export function isForbiddenAddress(address: string): boolean {
  if (!address.includes(':')) return isForbiddenIpv4(ipv4(address))
  const groups = ipv6(address)
  const [first, second] = groups as [number, number]
  if ((first & 0xffc0) === 0xfe80) return true
  if (first >> 8 === 0xfd && FORBIDDEN_IPV6.some(one => one.every((group, index) => groups[index] === group)))
    return true
  if (first === 0x2002) return isForbiddenIpv4(pair(groups, 1))
  if (first === 0x2001 && second === 0)
    return isForbiddenIpv4(pair(groups, 2)) || isForbiddenIpv4(~pair(groups, 6) >>> 0)
  if (first === 0x64 && second === 0xff9b) return inNat64(groups)
  if ((groups[4]! & 0xfdff) === 0 && groups[5] === 0x5efe) return isForbiddenIpv4(pair(groups, 6))
  // Mapped, compatible and translated: whatever begins with 64 zeros.
  const zeros = first === 0 && second === 0 && groups[2] === 0 && groups[3] === 0
  return zeros && isForbiddenIpv4(pair(groups, 6))
}

/** Whether a name belongs to a metadata service. @param name - lower case, without trailing dot */
export function isForbiddenName(name: string): boolean {
  return FORBIDDEN_NAMES.has(name) || EC2_INSTANCE_DATA.test(name)
}

/** 64:ff9b::/96, and 64:ff9b:1::/48 with a prefix of any length in it, RFC 6052 section 2.2. */
function inNat64(groups: readonly number[]): boolean {
  const last = isForbiddenIpv4(pair(groups, 6))
  if (groups[2] !== 1) return last && groups.slice(2, 6).every(group => group === 0)
  if (last) return true
  const bytes = groups.flatMap(group => [group >> 8, group & 0xff])
  // Byte 8 is zero and left out.
  return [
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
  ].some(places => isForbiddenIpv4(places.reduce((value, place) => value * 256 + bytes[place]!, 0)))
}

function isForbiddenIpv4(value: number): boolean {
  // RFC 3927, link-local
  return value >>> 16 === 0xa9fe || FORBIDDEN_IPV4.has(value)
}

function pair(groups: readonly number[], index: number): number {
  return groups[index]! * 0x10000 + groups[index + 1]!
}

/** The 32 bits of `a.b.c.d`; NaN, which is in no list, for anything else. */
function ipv4(address: string): number {
  const parts = address.split('.')
  return parts.length === 4 ? parts.reduce((value, part) => value * 256 + Number(part), 0) : Number.NaN
}

/** The eight groups of an IPv6 literal. */
function ipv6(address: string): number[] {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  const gap = bare.indexOf('::')
  const head = groupsOf(gap === -1 ? bare : bare.slice(0, gap))
  const tail = gap === -1 ? [] : groupsOf(bare.slice(gap + 2))
  const missing = 8 - head.length - tail.length
  return [...head, ...Array<number>(Math.max(0, missing)).fill(0), ...tail]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const value = ipv4(group)
    return [Math.floor(value / 0x10000), value % 0x10000]
  })
}
