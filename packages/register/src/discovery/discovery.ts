import type { Server } from 'node:net'
import { LanewayError } from '@laneway/core'
import type {
  createFileSource,
  createLaneResolver,
  LaneResolver,
  LaneResolverOptions,
  Source,
} from '@laneway/discovery'
import type { RegisterConfig } from '../config/config.js'
import { loadDependency, loadOnDemand } from '../on-demand.js'
import { addressOfInterface } from './interface-address.js'
import { nacosClientOptions } from './nacos-options.js'

/** What is used of `@laneway/discovery`. */
interface DiscoveryPackage {
  createFileSource: typeof createFileSource
  createLaneResolver: typeof createLaneResolver
}

/** What is used of `@laneway/nacos`. */
interface NacosPackage {
  createNacosClient(options: object): object
  createNacosSource(client: object, options: object): Source
  registerInstance(client: object, options: object): Promise<Registration>
}

/** This instance in a registry. */
export interface Registration {
  readonly ip?: string
  readonly port?: number
  /** Begins to deregister in this tick; resolves when callers may be expected to know. */
  leave(): Promise<void>
}

/** Where this process finds others and is found. */
export interface Discovery {
  /** `undefined` when nothing is configured: then Laneway only carries the tag. */
  readonly resolver: LaneResolver | undefined
  /** The sources in use. */
  readonly sources: readonly Source[]
  /** Registers this instance; `undefined` when the configuration names no registry for that. */
  readonly register: ((service: string, server: Server, port: number) => Promise<Registration>) | undefined
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` when a package is missing, and what the sources throw */
export function createDiscovery(config: RegisterConfig, enabled: boolean, warn: (message: string) => void): Discovery {
  const { endpointsFile } = config
  const configured = endpointsFile !== undefined || config.nacos.length > 0 || config.kubernetes
  if (!enabled || !configured) return { resolver: undefined, sources: [], register: undefined }
  const discovery = loadDependency<DiscoveryPackage>('@laneway/discovery', 'discovery')
  const sources: Source[] = []
  let register: Discovery['register']
  if (endpointsFile !== undefined) sources.push(discovery.createFileSource(endpointsFile, { warn }))
  if (config.nacos.length > 0) {
    const nacos = loadOnDemand<NacosPackage>('@laneway/nacos', 'LANEWAY_NACOS')
    const instance = instanceOptions(config)
    const connected = nacos.createNacosClient({ ...nacosClientOptions(config), warn })
    sources.push(
      nacos.createNacosSource(
        connected,
        given({
          group: config.nacosGroup,
          clusters: config.nacosClusters.length > 0 ? config.nacosClusters : undefined,
          cluster: config.nacosClusters[0],
          snapshotDir: config.nacosSnapshotDir,
          warn,
        }),
      ),
    )
    register = (service, server, port) => nacos.registerInstance(connected, { ...instance, service, server, port })
  }
  if (config.kubernetes) {
    const kubernetes = loadOnDemand<{ createKubernetesSource(options?: object): Source }>(
      '@laneway/kubernetes',
      'LANEWAY_KUBERNETES',
    )
    sources.push(
      kubernetes.createKubernetesSource(
        given({
          namespace: config.kubernetesNamespace,
          port: portOf(config.kubernetesPort),
          kubeconfig: config.kubeconfig,
          context: config.kubernetesContext,
          warn,
        }),
      ),
    )
  }
  return {
    resolver: discovery.createLaneResolver({ sources, ...resolverOptions(config), warn }),
    sources,
    register,
  }
}

function instanceOptions(config: RegisterConfig): object {
  const { ip, weight, metadata, nacosGroup, nacosClusters, tag, leaveDelayMs } = config
  if (ip !== undefined && config.interface !== undefined) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', 'ip and interface both say which address is registered; keep one')
  }
  return given({
    group: nacosGroup,
    cluster: nacosClusters[0],
    ip: ip ?? (config.interface === undefined ? undefined : addressOfInterface(config.interface)),
    weight,
    metadata,
    lane: tag,
    leaveDelayMs,
  })
}

/** Options of the resolver, apart from its sources. */
export function resolverOptions(config: RegisterConfig): Omit<LaneResolverOptions, 'sources'> {
  const { services, policies, whenLaneMissing, whenLaneUnavailable, baseEmpty, balancer, aliases } = config
  const { readyTimeoutMs, lookupTimeoutMs, kubernetesNamespace: namespace } = config
  return given({
    services,
    // The resolver checks what they hold.
    policies: policies as LaneResolverOptions['policies'],
    whenLaneMissing,
    whenLaneUnavailable,
    baseEmpty,
    balancer,
    aliases,
    namespace,
    readyTimeoutMs,
    lookupTimeoutMs,
    ...balanceOptions(config),
  })
}

function balanceOptions(config: RegisterConfig): Partial<LaneResolverOptions> {
  const { zone, zonePrefer, zoneCallers, panicPercent, slowStartMs, maxInFlight } = config
  const { consecutive5xx, consecutiveGatewayErrors } = config
  return given({
    zone: given({ name: zone, prefer: zonePrefer, callers: zoneCallers }),
    panicThreshold: panicPercent === undefined ? undefined : panicPercent / 100,
    slowStartMs,
    maxInFlight,
    outlier: given({ consecutive5xx, consecutiveGatewayErrors }),
  })
}

/** A Service port has a name or a number. */
function portOf(text: string | undefined): string | number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}

/** What was set; packages tell a missing option from an undefined one. */
function given<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
