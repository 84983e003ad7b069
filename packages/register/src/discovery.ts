import type { Server } from 'node:net'
import type { createFileSource, createLaneResolver, LaneResolver, Source } from '@laneway/discovery'
import type { RegisterConfig } from './config.js'
import { loadDependency, loadOnDemand } from './on-demand.js'

/** Callers learn of a departure within a second; the rest is for slow ones. */
const NOTICE_MS = 3000

/** What is used of `@laneway/discovery`. */
interface DiscoveryPackage {
  createFileSource: typeof createFileSource
  createLaneResolver: typeof createLaneResolver
}

/** What is used of `@laneway/nacos`. */
interface NacosPackage {
  createNacosClient(options: { servers: readonly string[]; namespace?: string; keepsProcess: boolean }): object
  createNacosSource(client: object, options: { group?: string }): Source
  registerInstance(
    client: object,
    options: { service: string; server: Server; port: number; group?: string; lane?: string; leaveDelayMs: number },
  ): Promise<Registration>
}

/** This instance in a registry. */
export interface Registration {
  /** Begins to deregister in this tick; resolves when callers may be expected to know. */
  leave(): Promise<void>
}

/** Where this process finds others and is found. */
export interface Discovery {
  /** `undefined` when nothing is configured: then Laneway only carries the tag. */
  readonly resolver: LaneResolver | undefined
  /** The sources in use, for the diagnosis. */
  readonly sources: readonly string[]
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
  if (endpointsFile !== undefined) sources.push(discovery.createFileSource(endpointsFile))
  if (config.nacos.length > 0) {
    const nacos = loadOnDemand<NacosPackage>('@laneway/nacos', 'LANEWAY_NACOS')
    const group = config.nacosGroup === undefined ? {} : { group: config.nacosGroup }
    const namespace = config.nacosNamespace === undefined ? {} : { namespace: config.nacosNamespace }
    const connected = nacos.createNacosClient({ servers: config.nacos, ...namespace, keepsProcess: false })
    sources.push(nacos.createNacosSource(connected, group))
    register = (service, server, port) =>
      nacos.registerInstance(connected, {
        service,
        server,
        port,
        ...group,
        leaveDelayMs: Math.min(NOTICE_MS, config.shutdownMs),
        ...(config.tag === undefined ? {} : { lane: config.tag }),
      })
  }
  if (config.kubernetes) {
    const kubernetes = loadOnDemand<{ createKubernetesSource(options?: object): Source }>(
      '@laneway/kubernetes',
      'LANEWAY_KUBERNETES',
    )
    sources.push(kubernetes.createKubernetesSource())
  }
  return {
    resolver: discovery.createLaneResolver({ sources, services: config.services, warn }),
    sources: sources.map(source => source.name),
    register,
  }
}
