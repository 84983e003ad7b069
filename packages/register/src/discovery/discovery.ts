import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server } from 'node:net'
import { LanewayError, type Warn } from '@laneway/core'
import { createSources } from '@laneway/core/internal'
import type {
  createFileSource,
  createHttpSource,
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
  createHttpSource: typeof createHttpSource
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
  deregister(): Promise<void>
}

/** Where this process finds others and is found. */
export interface Discovery {
  /** `undefined` when nothing is configured: then Laneway only carries the tag. */
  readonly resolver: LaneResolver | undefined
  /** The sources in use. */
  readonly sources: readonly Source[]
  /** The client of Nacos. */
  readonly nacos: object | undefined
  /** Registers this instance; `undefined` when the configuration names no registry for that. */
  readonly register: ((service: string, server: Server, port: number) => Promise<Registration>) | undefined
}

/** Where `@laneway/testing` puts a source of stub instances before this package starts. */
const kTesting = Symbol.for('laneway.testing.v1')

/**
 * @param listIntervalMs - how often Nacos is asked for all names; a process that only calls services asks seldom
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when a package is missing, and what the sources throw
 */
export function createDiscovery(
  config: RegisterConfig,
  enabled: boolean,
  warn: Warn,
  listIntervalMs?: number,
): Discovery {
  const { endpointsFile, endpointsUrl } = config
  const stubs = (AsyncLocalStorage as { [kTesting]?: { source: Source } })[kTesting]?.source
  const configured =
    stubs !== undefined ||
    endpointsFile !== undefined ||
    endpointsUrl !== undefined ||
    config.nacos.length > 0 ||
    config.kubernetes
  if (!enabled || !configured) {
    return { resolver: undefined, sources: [], nacos: undefined, register: undefined }
  }
  const discovery = loadDependency<DiscoveryPackage>('@laneway/discovery', 'discovery')
  // Where a mesh resolves, nothing is followed here; a registration stays.
  const resolves = config.resolve !== false
  const isInNacos = config.nacos.length > 0
  // Checked before a connection is opened.
  const instance = isInNacos ? instanceOptions(config) : {}
  const loadNacos = () => loadOnDemand<NacosPackage>('@laneway/nacos', 'LANEWAY_NACOS')
  const { sources, nacos: client } = createSources<Source, object>(
    {
      file: resolves ? endpointsFile : undefined,
      http:
        endpointsUrl === undefined || !resolves
          ? undefined
          : { url: endpointsUrl, namespace: config.kubernetesNamespace },
      nacos: isInNacos
        ? { client: nacosClientOptions(config), source: { ...nacosSourceOptions(config), listIntervalMs } }
        : undefined,
      kubernetes: config.kubernetes && resolves ? kubernetesOptions(config) : undefined,
    },
    {
      createFileSource: discovery.createFileSource,
      createHttpSource: discovery.createHttpSource,
      nacos: loadNacos,
      kubernetes: () => loadOnDemand('@laneway/kubernetes', 'LANEWAY_KUBERNETES'),
    },
    warn,
  )
  if (stubs !== undefined) sources.unshift(stubs)
  const options = {
    ...resolverOptions(config),
    // A source that lists a service first owns it. So nothing is asked for before a test has made its stubs.
    ...(stubs !== undefined && { services: config.services.filter(name => name.includes('.')) }),
  }
  return {
    resolver: !resolves ? undefined : discovery.createLaneResolver({ sources, ...options, warn }),
    sources,
    nacos: client,
    register:
      client &&
      ((service, server, port) => loadNacos().registerInstance(client, { ...instance, service, server, port })),
  }
}

function nacosSourceOptions({ nacosGroup, nacosClusters, nacosSnapshotDir }: RegisterConfig): object {
  return {
    group: nacosGroup,
    clusters: nacosClusters.length > 0 ? nacosClusters : undefined,
    cluster: nacosClusters[0],
    snapshotDir: nacosSnapshotDir,
  }
}

function kubernetesOptions(config: RegisterConfig): object {
  return {
    namespace: config.kubernetesNamespace,
    port: portOf(config.kubernetesPort),
    kubeconfig: config.kubeconfig,
    context: config.kubernetesContext,
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
  const { zone, zonePrefer, zoneCallers, panicPercent, slowStartMs, maxInFlight, subsetSize } = config
  const { consecutive5xx, consecutiveGatewayErrors } = config
  return given({
    zone: given({ name: zone, prefer: zonePrefer, callers: zoneCallers }),
    panicThreshold: panicPercent === undefined ? undefined : panicPercent / 100,
    slowStartMs,
    maxInFlight,
    subsetSize,
    outlier: given({ consecutive5xx, consecutiveGatewayErrors }),
  })
}

/** A Service port has a name or a number. */
function portOf(text: string | undefined): string | number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}

/** The options that are set. Some packages treat an undefined option as a value. */
function given<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
