/** One instance as the server lists it. */
export interface NacosInstance {
  readonly ip: string
  readonly port: number
  readonly weight: number
  /** `undefined` when the server did not say. */
  readonly healthy: boolean | undefined
  readonly enabled: boolean
  readonly clusterName: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The full list of a service at one moment. */
export interface ServiceInfo {
  /** Without group. */
  readonly name: string
  readonly groupName: string
  readonly instances: readonly NacosInstance[]
  /** The server's clock, ms; comparable only between answers of one server. */
  readonly lastRefTime: number
  /**
   * So few instances are healthy that the server says "healthy" of all: health is unknown. The threshold counts the
   * whole service, never a lane.
   */
  readonly healthUnknown: boolean
}

/**
 * Reads `serviceInfo`. The flags `allIPs` (2.x, r-nacos) and `allIps` (3.x) are not used on purpose, nor is `instanceId`,
 * which 2.2 leaves out: an instance is its ip and port.
 *
 * @returns `undefined` for what is no service list; never throws
 */
export function parseServiceInfo(value: unknown): ServiceInfo | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const info = value as Record<string, unknown>
  const { name, groupName, hosts, lastRefTime } = info
  if (typeof name !== 'string') return undefined
  // A name may come as group@@name.
  const at = name.indexOf('@@')
  const list = hosts === null || hosts === undefined ? [] : hosts
  if (!Array.isArray(list)) return undefined
  const instances: NacosInstance[] = []
  for (const host of list) {
    const instance = parseInstance(host)
    if (instance !== undefined) instances.push(instance)
  }
  return {
    name: at === -1 ? name : name.slice(at + 2),
    groupName:
      typeof groupName === 'string' && groupName !== '' ? groupName : at === -1 ? DEFAULT_GROUP : name.slice(0, at),
    instances,
    lastRefTime: typeof lastRefTime === 'number' ? lastRefTime : 0,
    healthUnknown: info['reachProtectionThreshold'] === true,
  }
}

/** Whether two lists have the same instances, in whatever order. */
export function sameInstances(one: ServiceInfo, other: ServiceInfo): boolean {
  return one.instances.length === other.instances.length && textOf(one) === textOf(other)
}

function textOf({ instances }: ServiceInfo): string {
  return instances
    .map(instance => JSON.stringify({ ...instance, metadata: Object.entries(instance.metadata).sort() }))
    .sort()
    .join()
}

export const DEFAULT_GROUP = 'DEFAULT_GROUP'

function parseInstance(value: unknown): NacosInstance | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const host = value as Record<string, unknown>
  const { ip, port, weight, healthy, enabled, clusterName, metadata } = host
  // Whether address, port and weight are usable is decided where endpoints of all sources are checked.
  if (typeof ip !== 'string' || typeof port !== 'number') return undefined
  return {
    ip,
    port,
    weight: typeof weight === 'number' ? weight : 1,
    healthy: typeof healthy === 'boolean' ? healthy : undefined,
    enabled: enabled !== false,
    clusterName: typeof clusterName === 'string' && clusterName !== '' ? clusterName : 'DEFAULT',
    metadata: parseMetadata(metadata),
  }
}

/** This parser owns the object, so it is reused without a copy. */
function parseMetadata(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return NO_METADATA
  const metadata = value as Record<string, string>
  for (const key in metadata) if (typeof metadata[key] !== 'string') delete metadata[key]
  return Object.freeze(metadata)
}

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({})
