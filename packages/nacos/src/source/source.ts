import { LanewayError } from '@laneway/core'
import {
  callback,
  emitLanewayWarning,
  milliseconds,
  type OptionTable,
  readOptions,
  text,
  texts,
  unchecked,
  type Warn,
} from '@laneway/core/internal'
import type { EndpointInput, Source, SourceListener } from '@laneway/discovery'
// Not from the index: the resolver would come with it, and half of the time that importing this package takes.
import { tagsOfMetadata } from '@laneway/discovery/tags-of-metadata'
import type { NacosClient } from '../client.js'
import { DEFAULT_GROUP, type NacosInstance, type ServiceInfo } from '../naming/service-info.js'
import type { ServiceRef } from '../naming/service-ref.js'
import { SnapshotStore } from '../snapshot-store.js'
import { followNames, type NamesFollower } from './follow-names.js'
import { type EndpointList, SourceSubscription } from './source-subscription.js'

/** Options of {@link createNacosSource}. */
export interface NacosSourceOptions {
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** Namespace id. @default the client's */
  namespace?: string
  /** Only instances of these Nacos clusters. @default all */
  clusters?: readonly string[]
  /**
   * The Nacos cluster of this process. Within a lane, instances of the own cluster are preferred, as the Nacos balancer of
   * Spring Cloud Alibaba does; but only as far as they have capacity for their share of the callers.
   * @default none: clusters do not count. `DEFAULT` is none, too
   */
  cluster?: string
  /**
   * Further metadata names whose value is a lane tag, e.g. `version`, after the built-in ones.
   * @default [], because `version: 1.2.3` is ordinary metadata and would leave a service without base
   */
  tagsFrom?: readonly string[]
  /** Where a service has another name in Nacos, by the name it has in Laneway. @default {} */
  services?: Readonly<Record<string, string | ServiceRef>>
  /** A folder for the last list of each service, used when Nacos cannot be reached at the start. @default none */
  snapshotDir?: string
  /**
   * How long, after a reconnect, instances that are no longer listed are kept. A restarted server is empty until its
   * clients are back, and a server that was cut off drops their old connections first.
   * An instance that comes back within this time and goes again is dropped. The time does not run while no server can be
   * reached. 0 uses every list at once.
   * @default 10000, about twice the longest pause of a Java client that reconnects
   */
  returnGraceMs?: number
  /**
   * How often the names of all services are read, and up to half as long again; more often for a while when a service
   * that is asked for has no instances. With declared services of one source they are not read before that.
   * @default 600000, because new services are found by their names, too, and a fleet reads a long list often; 0 lists
   *   none, then a service is only found by its exact, lower-case name or when declared
   */
  listIntervalMs?: number
  /** @default a process warning */
  warn?: Warn
}

const OPTIONS = {
  group: text(DEFAULT_GROUP),
  namespace: unchecked<string>(),
  clusters: texts(),
  cluster: text(undefined),
  tagsFrom: texts(),
  services: unchecked<NonNullable<NacosSourceOptions['services']>>({}),
  snapshotDir: text(undefined),
  returnGraceMs: milliseconds(10_000),
  listIntervalMs: milliseconds(600_000),
  warn: callback<Warn>(),
} satisfies OptionTable<NacosSourceOptions>

/**
 * Services of a Nacos namespace as a source of the resolver. The name of a service is its Nacos name, or `group@@name`.
 *
 * Snapshots are full lists. Nacos does not distinguish a service without instances from one that never
 * existed, so both are reported as an empty list and `missing` is never reported. The last list stays in use while Nacos
 * is lost. When the server's protection
 * threshold is reached, health is unknown. Closing the source does not close the client.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createNacosSource(client: NacosClient, options: NacosSourceOptions = {}): Source {
  const read = readOptions('createNacosSource', options, OPTIONS)
  const { group, namespace = client.namespace, tagsFrom, returnGraceMs, listIntervalMs, snapshotDir } = read
  const { cluster } = read
  const clusters = new Set(read.clusters)
  const services = new Map(Object.entries(read.services))
  const store =
    snapshotDir === undefined
      ? undefined
      : new SnapshotStore<EndpointList>(snapshotDir, read.warn ?? emitLanewayWarning)
  const ends = new Set<() => void>()
  let closed = false
  const followers = new Set<NamesFollower>()
  /** Whether the server has answered, and its refusal as long as it has not. */
  let answered = false
  let refusal: Error | undefined

  const refOf = (service: string): Required<ServiceRef> => {
    const mapped = services.get(service) ?? service
    if (typeof mapped !== 'string') return { group, namespace, ...mapped }
    const at = mapped.indexOf('@@')
    return at === -1
      ? { service: mapped, group, namespace }
      : { service: mapped.slice(at + 2), group: mapped.slice(0, at), namespace }
  }

  const toEndpoints = (info: ServiceInfo): EndpointList => {
    const endpoints: EndpointInput[] = []
    for (const instance of info.instances) {
      if (clusters.size > 0 && !clusters.has(instance.clusterName)) continue
      endpoints.push(endpointOf(instance, info.healthUnknown, tagsFrom))
    }
    return endpoints
  }

  const startGrace =
    returnGraceMs === 0
      ? undefined
      : (ended: () => void) => {
          const timer = setTimeout(ended, returnGraceMs).unref()
          return () => clearTimeout(timer)
        }

  const emptied = (): void => {
    for (const follower of followers) follower.hurry()
  }

  const refusedBy = (error: unknown): void => {
    if (!answered && (error as LanewayError).code === 'LANEWAY_AUTH') refusal = error as LanewayError
  }
  const answer = (): void => {
    answered = true
    refusal = undefined
  }

  const tracked = (end: () => void): (() => void) => {
    const once = (): void => {
      if (ends.delete(once)) end()
    }
    ends.add(once)
    return once
  }

  const subscribe = (service: string, listener: SourceListener): (() => void) => {
    if (closed) {
      listener.stale(new LanewayError('LANEWAY_CLOSED', 'the Nacos source is closed'))
      return () => {}
    }
    let ref: Required<ServiceRef>
    const subscription = new SourceSubscription({ listener, startGrace, toEndpoints, store, emptied })
    try {
      ref = refOf(service)
      subscription.key = `${ref.namespace}@@${ref.group}@@${ref.service}`
      subscription.stop = client.naming.subscribe(ref, {
        info(info, session) {
          answer()
          subscription.info(info, session)
        },
        lost(error) {
          refusedBy(error)
          subscription.lost(error)
        },
      })
    } catch (error) {
      // The name cannot be a service of Nacos, for example because it is empty.
      listener.stale(error as Error)
    }
    return tracked(() => subscription.close())
  }

  const suspect = (service: string): void => {
    try {
      client.naming.suspect(refOf(service))
    } catch {
      // The name cannot be a service of Nacos, which the subscription has reported.
    }
  }

  const list = (listener: (names: ReadonlySet<string>) => void, onDemand = false): (() => void) => {
    if (closed) return () => {}
    const read = async () => {
      const names = await client.naming.list({ group, namespace })
      answer()
      return new Set([...names, ...services.keys()])
    }
    const follower = followNames(read, listener, listIntervalMs, refusedBy, onDemand)
    followers.add(follower)
    return tracked(() => {
      followers.delete(follower)
      follower.stop()
    })
  }

  return Object.freeze({
    name: 'nacos',
    where: `${client.servers?.join(', ')}, namespace ${namespace}, group ${group}`,
    caseInsensitive: false,
    subscribe,
    suspect,
    ...(listIntervalMs > 0 && { list }),
    ...(cluster !== undefined &&
      cluster !== 'DEFAULT' && { zone: () => ({ name: cluster, prefer: 'capacity' as const }) }),
    connection: () => {
      if (client.server !== undefined) {
        return refusal === undefined ? { connected: true } : { connected: false, error: refusal }
      }
      return client.lost === undefined ? undefined : { connected: false, error: client.lost }
    },
    close: async () => {
      closed = true
      for (const end of [...ends]) end()
      await store?.flush()
    },
  })
}

function endpointOf(instance: NacosInstance, healthUnknown: boolean, tagsFrom: readonly string[]): EndpointInput {
  const { ip, port, weight, healthy, enabled, clusterName, metadata } = instance
  return {
    host: ip,
    port,
    weight,
    health: healthUnknown || healthy === undefined ? 'unknown' : healthy ? 'healthy' : 'unhealthy',
    enabled,
    // As Spring's callers read it.
    ...(metadata['secure']?.toLowerCase() === 'true' && { secure: true }),
    ...(clusterName !== 'DEFAULT' && { zone: clusterName }),
    tags: tagsOfMetadata(metadata, tagsFrom),
    metadata,
  }
}
