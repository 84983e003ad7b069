import type { ConnectionOptions } from 'node:tls'
import type { Lane } from '@laneway/core'
import {
  callback,
  emitLanewayWarning,
  flag,
  milliseconds,
  type Option,
  OptionPlace,
  type OptionTable,
  readOptions,
  text,
  unchecked,
  type Warn,
  whole,
} from '@laneway/core/internal'
import { appLabels, readLabels } from './app-labels.js'
import { parseServers } from './servers.js'

/** A request for which {@link NacosClientOptions.headers} may add metadata. */
export interface NacosRequest {
  /** E.g. `SubscribeServiceRequest`. */
  readonly type: string
  /** The JSON of the request. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Options of `createNacosClient`. */
export interface NacosClientOptions {
  /**
   * Nacos servers, `host:port` of the main port (8848); gRPC is expected 1000 above. A list, or one string with commas.
   * A proxy in front must forward the gRPC port as TCP.
   */
  servers: string | readonly string[]
  /** Namespace id. @default 'public' */
  namespace?: string
  /** For `nacos.core.auth.enabled=true`. @default no login */
  username?: string
  password?: string
  /**
   * TLS to the gRPC port, in the terms of `tls.connect`: `ca`, `cert` and `key` for mutual TLS, `servername`,
   * `rejectUnauthorized`. `true` uses Node's own roots. The login follows the scheme of the server entry.
   * @default false, plain text, as Nacos
   */
  tls?: boolean | ConnectionOptions
  /** Metadata for each request, e.g. a signature of Aliyun RAM. @default none */
  headers?: (request: NacosRequest) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** Shown in the server's list of clients. @default 'unknown' */
  appName?: string
  /**
   * The lane of this process: Nacos then gives it the gray configuration of that tag, and the base one where there is none.
   * `base` is base. On the connection it is `app_Vipserver-Tag` and, for MSE, `app_nacos.config.gray.label`.
   * @default the lane of the process (`ownLane()`)
   */
  lane?: Lane | string
  /**
   * Further labels of the connection for rules of gray configuration, as `nacos.app.conn.labels` of the Java client.
   * @default those of the Java client's variables `nacos_app_conn_labels` (`a=1,b=2`) and `nacos_config_gray_label`
   */
  labels?: Readonly<Record<string, string>>
  /** @default 1000, the distance of Nacos' gRPC port from its main port */
  grpcPortOffset?: number
  /** Limit of connecting and of one request. @default 3000, as the Java client */
  requestTimeoutMs?: number
  /** How long a call waits for a connection, retries included. @default 10000 */
  operationTimeoutMs?: number
  /**
   * A connection that was idle this long is checked. Below 20 s, because servers drop what is silent that long.
   * @default 5000, as the Java client; a half-open connection is noticed after this plus twice `requestTimeoutMs`
   */
  healthIntervalMs?: number
  /** Pause between attempts to apply a registration or subscription that failed. @default 3000, as the Java client */
  redoIntervalMs?: number
  /**
   * In case a push was lost, one subscription or configuration that is followed is asked for again after this time and up
   * to half as much, then the next: with 30 of them, each about every 40 minutes.
   * @default 60000: more than 1,000 processes are less than 17 requests a second
   */
  recheckIntervalMs?: number
  /** Longest pause between attempts to connect. @default 5000 */
  maxReconnectDelayMs?: number
  /**
   * Whether the connection keeps the process alive, as a server does.
   * @default true; `false` is for preloads, which must not hold up a program that has come to its end
   */
  keepsProcess?: boolean
  /** Tells of a lost connection, a failed login and the like, once each. @default a process warning */
  warn?: Warn
  /** @default Math.random */
  random?: () => number
  /** Clock of the login, ms. @default Date.now */
  now?: () => number
}

const readTls: Option<ConnectionOptions | undefined> = (value, place) => {
  if (value === undefined || value === null || value === false) return undefined
  if (value === true) return {}
  if (typeof value === 'object') return { ...value }
  throw place.unexpected('true, false or the options of tls.connect', value)
}

const readHealthInterval: Option<number> = (value, place) => {
  const ms = milliseconds(5_000, 10)(value, place)
  if (ms < 20_000) return ms
  throw place.unexpected('below 20000, because servers drop a connection that is silent for so long', ms)
}

const OPTIONS = {
  servers: unchecked<string | readonly string[]>(),
  namespace: unchecked<string>(''),
  username: text(undefined),
  password: unchecked<string>(),
  tls: readTls,
  headers: callback<NonNullable<NacosClientOptions['headers']>>(),
  appName: text('unknown'),
  lane: unchecked<Lane | string>(),
  labels: readLabels,
  grpcPortOffset: whole(1000, -65_535, 65_535),
  requestTimeoutMs: milliseconds(3_000, 1),
  operationTimeoutMs: milliseconds(10_000, 1),
  healthIntervalMs: readHealthInterval,
  redoIntervalMs: milliseconds(3_000, 1),
  recheckIntervalMs: milliseconds(60_000, 1),
  maxReconnectDelayMs: milliseconds(5_000, 1),
  keepsProcess: flag(true),
  warn: callback<Warn>(),
  random: callback<() => number>(),
  now: callback<() => number>(),
} satisfies OptionTable<NacosClientOptions>

/** {@link NacosClientOptions} with defaults, checked and frozen. */
export type ResolvedNacosClientOptions = ReturnType<typeof resolveNacosClientOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveNacosClientOptions(input: NacosClientOptions) {
  const { grpcPortOffset, lane, ...read } = readOptions('createNacosClient', input, OPTIONS)
  if ((read.username === undefined) !== (read.password === undefined)) {
    const missing = read.username === undefined ? 'username' : 'password'
    throw new OptionPlace('createNacosClient', [missing]).invalid(
      'is missing: username and password are given together',
    )
  }
  return Object.freeze({
    ...read,
    labels: appLabels(lane, read.labels, process.env),
    servers: parseServers(read.servers, grpcPortOffset),
    // "" is another namespace than "public" for naming, and the reverse for configuration on 2.x; see tenantOf.
    namespace: read.namespace === '' ? 'public' : read.namespace,
    password: read.password ?? '',
    warn: read.warn ?? emitLanewayWarning,
    random: read.random ?? Math.random,
    now: read.now ?? Date.now,
  })
}
