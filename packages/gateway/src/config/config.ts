import type { LaneResolverOptions, StaticServices } from '@laneway/discovery'
import type { HttpRoute, KeySource, Rule } from '@laneway/rules'
import type { ClientOptions, DrainOptions, GatewayOptions, UpstreamOptions } from '../gateway-options.js'
import type { GatewayRoute } from '../route/gateway-route.js'

/** Where endpoints come from, and how they are chosen. Of several sources, the first that lists a service owns it. */
export interface DiscoveryConfig
  extends Pick<
    LaneResolverOptions,
    | 'services'
    | 'whenLaneMissing'
    | 'whenLaneUnavailable'
    | 'policies'
    | 'balancer'
    | 'baseEmpty'
    | 'aliases'
    | 'suffixes'
    | 'clusterDomain'
    | 'namespace'
    | 'readyTimeoutMs'
  > {
  /** Endpoints by service. */
  readonly static?: StaticServices
  /** A file of endpoints, see `createFileSource`. */
  readonly file?: string
  /** An endpoints server (`laneway endpoints --serve`), which follows Kubernetes for many processes. */
  readonly http?: { readonly url: string }
  /** Needs `@laneway/nacos`. */
  readonly nacos?: {
    readonly servers: string | readonly string[]
    readonly namespace?: string
    readonly group?: string
    readonly username?: string
    readonly password?: string
  }
  /** Needs `@laneway/kubernetes`; `true`, or options of `createKubernetesSource`. */
  readonly kubernetes?: boolean | Readonly<Record<string, unknown>>
}

/** Rules in the file itself, in a file of their own, or in a Nacos configuration. */
export type RulesConfig =
  | readonly Rule[]
  | { readonly file: string; readonly weightKey?: readonly KeySource[] | 'random' }
  | {
      readonly nacos: { readonly dataId: string; readonly group?: string }
      readonly weightKey?: readonly KeySource[] | 'random'
    }

/** TLS of a listener. The files are relative to the configuration. */
export interface TlsConfig {
  readonly cert: string
  readonly key: string
  /** Asks clients for certificates of these authorities. */
  readonly ca?: string
  /** @default true */
  readonly http2?: boolean
}

/** A configuration file, `gateway.yaml`. */
export interface GatewayConfig
  extends Pick<
    GatewayOptions,
    'header' | 'proxies' | 'forwarded' | 'hostHeader' | 'privateAnswers' | 'propagateTo' | 'trace' | 'admin'
  > {
  readonly $schema?: string
  readonly version: 1
  /** @default one HTTP port, 8080 */
  readonly listeners?: readonly {
    readonly port?: number
    readonly host?: string
    readonly protocol?: 'http' | 'https' | 'h2c'
    readonly tls?: TlsConfig
  }[]
  readonly trust?: 'edge' | 'private' | 'internal'
  readonly client?: ClientOptions
  readonly upstream?: Omit<UpstreamOptions, 'tls'>
  readonly discovery: DiscoveryConfig
  readonly rules?: RulesConfig
  readonly routes?: readonly GatewayRoute[]
  /** Files with Gateway API `HTTPRoute`s; other kinds are ignored. */
  readonly routesFrom?: readonly string[]
  /** JSON lines on standard output. @default true */
  readonly accessLog?: boolean
  readonly drain?: DrainOptions
}

/** A configuration with the files that it names. */
export interface LoadedConfig {
  readonly config: GatewayConfig
  /** Absolute; without the files of rules, which `watchRules` follows. */
  readonly files: readonly string[]
  /** Absolute. */
  readonly folder: string
  readonly routes: readonly (GatewayRoute | HttpRoute)[]
  /** What was read and is not used. */
  readonly notes: readonly string[]
}
