import { isIP } from 'node:net'
import { BASE_TAG, isTag } from '@laneway/core'
import { describe, kAnyAddress } from '@laneway/core/internal'
import type { Endpoint, Health } from './endpoint.js'
import { formatAddress, parseEndpointHost } from './endpoint-host.js'

/** Options of {@link parseEndpoint}. */
export interface ParseEndpointOptions {
  /**
   * Accept link-local addresses and cloud metadata services.
   * @default false, because a registry entry must not reach the metadata service of the machine
   */
  readonly allowLinkLocal?: boolean
  /** Told why an endpoint is not usable. */
  readonly refused?: (problem: string) => void
}

const NO_TAGS: readonly string[] = Object.freeze([])
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({})
/** More tags than a service may have lanes make no sense on one endpoint. */
const MAX_TAGS = 64

/**
 * Checks one endpoint as a registry gave it. The data is input: whatever is wrong with it makes the endpoint
 * `undefined`, and `refused` is called with the problem. Never throws.
 *
 * A tag outside the grammar refuses the whole endpoint: without its tag it would be taken for base.
 */
export function parseEndpoint(input: unknown, options: ParseEndpointOptions = {}): Endpoint | undefined {
  const problem = { text: '' }
  const endpoint = read(input, options.allowLinkLocal ?? false, problem)
  if (endpoint === undefined) options.refused?.(problem.text)
  return endpoint
}

function read(input: unknown, allowLinkLocal: boolean, problem: { text: string }): Endpoint | undefined {
  if (typeof input !== 'object' || input === null) return refuse(problem, 'an endpoint is an object', input)
  const {
    host: rawHost,
    port,
    weight = 1,
    health = 'unknown',
    enabled = true,
    secure = false,
    zone,
    forZones,
    registeredAt,
    tags,
    metadata,
  } = input as Partial<Record<keyof Endpoint, unknown>>
  const parsed = parseEndpointHost(rawHost, allowLinkLocal)
  if (parsed.problem !== undefined) return refuse(problem, parsed.problem, rawHost)
  if (typeof port !== 'number' || !Number.isInteger(port) || !(port >= 1 && port <= 65535)) {
    return refuse(problem, 'port is an integer from 1 to 65535', port)
  }
  if (typeof weight !== 'number' || !(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
    return refuse(problem, 'weight is a finite number from 0', weight)
  }
  if (!isHealth(health)) return refuse(problem, 'health is healthy, unhealthy or unknown', health)
  if (typeof enabled !== 'boolean') return refuse(problem, 'enabled is a boolean', enabled)
  if (typeof secure !== 'boolean') return refuse(problem, 'secure is a boolean', secure)
  if (zone !== undefined && typeof zone !== 'string') return refuse(problem, 'zone is a string', zone)
  if (forZones !== undefined && !isListOfTexts(forZones))
    return refuse(problem, 'forZones is a list of zones', forZones)
  if (registeredAt !== undefined && !isTime(registeredAt)) {
    return refuse(problem, 'registeredAt is a time in milliseconds', registeredAt)
  }
  const lanes = readTags(tags)
  if (lanes === undefined) return refuse(problem, 'tags is a list of lane tags', tags)
  return Object.freeze({
    address: formatAddress(parsed.host, port),
    host: parsed.host,
    port,
    weight,
    health,
    enabled,
    secure,
    zone,
    tags: lanes,
    metadata: readMetadata(metadata),
    ...(forZones !== undefined && { forZones: Object.freeze([...(forZones as string[])]) }),
    ...(registeredAt !== undefined && { registeredAt }),
    // What the name resolves to is checked where the connection is made.
    ...(allowLinkLocal && isIP(parsed.host) === 0 && { [kAnyAddress]: true }),
  })
}

function isHealth(value: unknown): value is Health {
  return value === 'unknown' || value === 'healthy' || value === 'unhealthy'
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

function readTags(value: unknown): readonly string[] | undefined {
  if (value === undefined) return NO_TAGS
  if (!Array.isArray(value)) return undefined
  const tags = new Set<string>()
  for (const tag of value as readonly unknown[]) {
    if (tag === '' || tag === BASE_TAG) continue
    if (!isTag(tag)) return undefined
    tags.add(tag)
  }
  if (tags.size > MAX_TAGS) return undefined
  return tags.size === 0 ? NO_TAGS : Object.freeze([...tags])
}

function readMetadata(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return NO_METADATA
  const metadata: Record<string, string> = {}
  let some = false
  for (const [key, one] of Object.entries(value)) {
    // `__proto__` as a key would be an assignment to the prototype.
    if (typeof one !== 'string' || key === '__proto__') continue
    metadata[key] = one
    some = true
  }
  return some ? Object.freeze(metadata) : NO_METADATA
}

function refuse(problem: { text: string }, rule: string, received: unknown): undefined {
  problem.text = `${rule}, received ${describe(received)}`
  return undefined
}

/** Whether parsing `input` would give `endpoint` again, for the common case that nothing changed. Allocates nothing. */
export function isUnchanged(endpoint: Endpoint, input: unknown): boolean {
  if (typeof input !== 'object' || input === null) return false
  const one = input as Partial<Record<keyof Endpoint, unknown>>
  return (
    one.host === endpoint.host &&
    one.port === endpoint.port &&
    (one.weight ?? 1) === endpoint.weight &&
    (one.health ?? 'unknown') === endpoint.health &&
    (one.enabled ?? true) === endpoint.enabled &&
    (one.secure ?? false) === endpoint.secure &&
    one.zone === endpoint.zone &&
    one.registeredAt === endpoint.registeredAt &&
    sameTags(endpoint.tags, one.tags) &&
    (one.forZones === endpoint.forZones || sameTags(endpoint.forZones ?? NO_TAGS, one.forZones)) &&
    sameMetadata(endpoint.metadata, one.metadata)
  )
}

function sameTags(tags: readonly string[], input: unknown): boolean {
  if (input === tags) return true
  if (input === undefined) return tags.length === 0
  if (!Array.isArray(input) || input.length !== tags.length) return false
  for (let i = 0; i < tags.length; i++) if (input[i] !== tags[i]) return false
  return true
}

function sameMetadata(metadata: Readonly<Record<string, string>>, input: unknown): boolean {
  if (input === metadata) return true
  if (typeof input !== 'object' || input === null) return metadata === NO_METADATA
  const other = input as Record<string, unknown>
  let left = 0
  for (const key in metadata) {
    if (other[key] !== metadata[key]) return false
    left++
  }
  // An inherited key makes this differ; then the endpoint is parsed, which is right too.
  for (const _ in other) left--
  return left === 0
}
