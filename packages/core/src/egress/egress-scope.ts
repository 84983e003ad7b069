import { BlockList, isIP } from 'node:net'
import { BoundedMap } from '../bounded-map.js'
import type { LanewayError } from '../errors.js'
import { inList, isPrivateAddress } from '../ingress/private-address.js'
import type { Lane } from '../lane/lane.js'
import { oncePerKey } from '../once-per-key.js'
import { OptionPlace } from '../options/option-place.js'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { isForbiddenAddress, isForbiddenName } from './forbidden-address.js'
import { type ParsedHost, parseHost } from './host.js'
import { publishEgress } from './publish-egress.js'

/** Options of {@link createEgressScope}, part of the options of every egress adapter. */
export interface EgressScopeOptions {
  /**
   * Hosts outside the internal ones that get the tag: exact names, `*.suffix` (the sub-domains, not the domain itself),
   * IP addresses, CIDR blocks.
   * @default [], because third parties need not know lane names
   */
  propagateTo?: readonly string[]
  /** Called once for each host that a tag was withheld from. @default process.emitWarning */
  warn?: Warn
}

/** Which hosts may see the tag. */
export interface EgressScope {
  /**
   * Whether a host gets the tag. Services that a resolver resolves are in scope without asking. Cached; never throws.
   * @param hostname - as in a URL, or an IP literal
   */
  includes(hostname: string): boolean
  /**
   * Whether a host never gets a tag, not even one set by hand: link-local, or where a cloud answers with metadata. Never
   * throws.
   * @param hostname - as for `includes`
   */
  forbids(hostname: string): boolean
  /** Reports that the tag was kept from a host: one event each time, one warning per host (at most 100 hosts). */
  blocked(hostname: string, lane: Lane): void
}

const INTERNAL_SUFFIXES = ['.svc', '.cluster.local', '.internal', '.local']
const MAX_VERDICTS = 4096
const MAX_HOST_LENGTH = 255
const MAX_WARNED = 100
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

/** @throws LanewayError `LANEWAY_INVALID_OPTION` for an entry that can match no host */
export function createEgressScope(where: string, options: EgressScopeOptions = {}): EgressScope {
  const listed = compile(where, options.propagateTo ?? [])
  const warn = options.warn ?? emitLanewayWarning
  const isFirst = oncePerKey(MAX_WARNED)
  const verdicts = new BoundedMap<string, boolean>(MAX_VERDICTS)

  function judge(hostname: string): boolean {
    const host = parseHost(hostname)
    if (host === undefined) return false
    const { name, family } = host
    if (isMetadata(host)) return false
    if (family !== 0) return isPrivateAddress(name) || inList(listed.addresses, name)
    if (listed.names.has(name) || listed.suffixes.some(suffix => name.endsWith(suffix))) return true
    // Resolvers of clouds know these two as well; a service of that name can be listed.
    if (!name.includes('.')) return LABEL.test(name) && name !== 'metadata' && name !== 'instance-data'
    return INTERNAL_SUFFIXES.some(suffix => name.endsWith(suffix))
  }

  return {
    includes(hostname) {
      // RFC 1035 ends a name at 255 bytes; longer texts are no hosts, and must not fill the cache.
      return hostname.length <= MAX_HOST_LENGTH && verdicts.of(hostname, judge)
    },
    forbids(hostname) {
      const host = parseHost(hostname)
      return host === undefined || isMetadata(host)
    },
    blocked(hostname, lane) {
      publishEgress(hostname, lane, 'blocked')
      if (!isFirst(hostname)) return
      const worded = (option: string) =>
        `a call in lane "${lane.header}" to ${hostname} went without the tag, because the host is outside; ` +
        `if it belongs to you, add it to ${option}`
      warn(worded(`the option propagateTo of ${where}`), { kind: 'option', option: 'propagateTo', worded })
    },
  }
}

function isMetadata({ name, family }: ParsedHost): boolean {
  return family === 0 ? isForbiddenName(name) : isForbiddenAddress(name)
}

interface Listed {
  readonly names: ReadonlySet<string>
  readonly suffixes: readonly string[]
  readonly addresses: BlockList
}

function compile(where: string, entries: readonly string[]): Listed {
  const names = new Set<string>()
  const suffixes: string[] = []
  const addresses = new BlockList()
  if (!Array.isArray(entries)) throw refuse(where, entries)
  for (const entry of entries as readonly unknown[]) {
    if (typeof entry !== 'string') throw refuse(where, entry)
    if (entry.includes('/')) addBlock(where, addresses, entry)
    else if (entry.startsWith('*.')) {
      const host = parseHost(entry.slice(2))
      if (host === undefined || host.family !== 0 || host.name.includes('*')) throw refuse(where, entry)
      suffixes.push(`.${host.name}`)
    } else {
      const host = parseHost(entry)
      if (host === undefined || host.name.includes('*') || isMetadata(host)) throw refuse(where, entry)
      if (host.family === 0) names.add(host.name)
      else addresses.addAddress(host.name, host.family === 6 ? 'ipv6' : 'ipv4')
    }
  }
  return { names, suffixes, addresses }
}

function addBlock(where: string, addresses: BlockList, entry: string): void {
  const slash = entry.indexOf('/')
  const address = entry.slice(0, slash)
  const length = entry.slice(slash + 1)
  const family = isIP(address)
  const bits = Number(length)
  if (family === 0 || !/^\d{1,3}$/.test(length) || bits > (family === 6 ? 128 : 32)) throw refuse(where, entry)
  addresses.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
}

function refuse(where: string, entry: unknown): LanewayError {
  return new OptionPlace(where, ['propagateTo']).unexpected(
    'a list of hosts ("api.example.com"), sub-domains ("*.example.com"), addresses and CIDR blocks ("10.0.0.0/8") that are neither link-local nor of a metadata service',
    entry,
  )
}
