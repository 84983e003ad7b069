import type { Dialect } from '../dialect.js'

/** An instance as a client published it, with the server's defaults filled in. */
export interface Instance {
  readonly instanceId: string | undefined
  readonly ip: string
  readonly port: number
  readonly weight: number
  readonly healthy: boolean
  readonly enabled: boolean
  readonly ephemeral: boolean
  readonly clusterName: string
  readonly metadata: Readonly<Record<string, string>>
}

/** What names a service. */
export interface ServiceName {
  /** The namespace id; `""` and `public` are two namespaces, as on a real server. */
  readonly namespace: string
  readonly group: string
  readonly service: string
}

/** What an operator set for one address over HTTP: beats what clients register there, and stays when they are gone. */
export type InstanceOverride = Partial<Pick<Instance, 'weight' | 'enabled' | 'metadata'>>

/** One entry of `hosts` in a service info. */
export type Host = Readonly<Record<string, unknown>>

/** Reads an instance from a request body. Fields that are missing get the server's defaults; never throws. */
export function parseInstance(body: unknown, name: ServiceName, dialect: Dialect, ephemeral: boolean): Instance {
  const raw = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const ip = text(raw['ip'], '')
  const port = numberOf(raw['port'], 0)
  return {
    // A missing cluster reads "null" here although the list below says DEFAULT: so does a real server.
    instanceId: dialect.instanceIds
      ? `${ip}#${port}#${text(raw['clusterName'], 'null')}#${name.group}@@${name.service}`
      : typeof raw['instanceId'] === 'string'
        ? raw['instanceId']
        : undefined,
    ip,
    port,
    weight: Math.min(Math.max(numberOf(raw['weight'], 1), 0), 10_000),
    healthy: raw['healthy'] !== false,
    enabled: raw['enabled'] !== false,
    ephemeral,
    clusterName: text(raw['clusterName'], 'DEFAULT') || 'DEFAULT',
    metadata: parseMetadata(raw['metadata']),
  }
}

/** The instance as lists show it. */
export function toHost(instance: Instance, name: ServiceName): Host {
  const { metadata } = instance
  return {
    ...(instance.instanceId !== undefined && { instanceId: instance.instanceId }),
    ip: instance.ip,
    port: instance.port,
    weight: instance.weight,
    healthy: instance.healthy,
    enabled: instance.enabled,
    ephemeral: instance.ephemeral,
    clusterName: instance.clusterName,
    serviceName: `${name.group}@@${name.service}`,
    metadata,
    instanceHeartBeatInterval: milliseconds(metadata['preserved.heart.beat.interval'], 5000),
    instanceHeartBeatTimeOut: milliseconds(metadata['preserved.heart.beat.timeout'], 15_000),
    ipDeleteTimeout: milliseconds(metadata['preserved.ip.delete.timeout'], 30_000),
    // Seen on real servers only for instances without metadata.
    ...(Object.keys(metadata).length === 0 && { instanceIdGenerator: 'simple' }),
  }
}

function parseMetadata(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  // fromEntries defines keys, so that a key named __proto__ stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)]))
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

/** Numbers may come as text, as Jackson reads them. */
function numberOf(value: unknown, fallback: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : fallback
}

function milliseconds(value: string | undefined, fallback: number): number {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : fallback
}
