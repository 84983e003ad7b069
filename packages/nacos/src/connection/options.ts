import type { ConnectionOptions } from 'node:tls'
import { LanewayError, type Warn } from '@laneway/core'
import { assertKnownKeys, describe, emitLanewayWarning } from '@laneway/core/internal'
import { parseServers, type ServerAddress } from './servers.js'

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

/** {@link NacosClientOptions} with defaults, checked and frozen. */
export interface ResolvedNacosClientOptions {
  readonly servers: readonly ServerAddress[]
  readonly namespace: string
  readonly username: string | undefined
  readonly password: string
  readonly tls: ConnectionOptions | undefined
  readonly headers: NacosClientOptions['headers']
  readonly appName: string
  readonly requestTimeoutMs: number
  readonly operationTimeoutMs: number
  readonly healthIntervalMs: number
  readonly redoIntervalMs: number
  readonly maxReconnectDelayMs: number
  readonly keepsProcess: boolean
  readonly warn: Warn
  readonly random: () => number
  readonly now: () => number
}

const KEYS = [
  'servers',
  'namespace',
  'username',
  'password',
  'tls',
  'headers',
  'appName',
  'grpcPortOffset',
  'requestTimeoutMs',
  'operationTimeoutMs',
  'healthIntervalMs',
  'redoIntervalMs',
  'maxReconnectDelayMs',
  'keepsProcess',
  'warn',
  'random',
  'now',
]

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveNacosClientOptions(input: NacosClientOptions): ResolvedNacosClientOptions {
  assertKnownKeys('createNacosClient', input, KEYS)
  const offset = input.grpcPortOffset ?? 1000
  if (!Number.isInteger(offset)) throw invalid('grpcPortOffset', 'an integer', offset)
  if ((input.username === undefined) !== (input.password === undefined)) {
    throw invalid('username and password', 'given together', input.username ?? '(no username)')
  }
  const healthIntervalMs = atLeast('healthIntervalMs', input.healthIntervalMs ?? 5_000, 10)
  if (!(healthIntervalMs < 20_000))
    throw invalid('healthIntervalMs', 'below 20000, or the server drops us', healthIntervalMs)
  const keepsProcess = input.keepsProcess ?? true
  if (typeof keepsProcess !== 'boolean') throw invalid('keepsProcess', 'true or false', keepsProcess)
  return Object.freeze({
    servers: parseServers(input.servers, offset),
    // "" is another namespace than "public" for naming, and the reverse for configuration on 2.x; see tenantOf.
    namespace: (input.namespace ?? '') === '' ? 'public' : input.namespace!,
    username: input.username,
    password: input.password ?? '',
    tls: input.tls === true ? {} : input.tls === false || input.tls === undefined ? undefined : { ...input.tls },
    headers: input.headers,
    appName: input.appName ?? 'unknown',
    requestTimeoutMs: atLeast('requestTimeoutMs', input.requestTimeoutMs ?? 3_000, 1),
    operationTimeoutMs: atLeast('operationTimeoutMs', input.operationTimeoutMs ?? 10_000, 1),
    healthIntervalMs,
    redoIntervalMs: atLeast('redoIntervalMs', input.redoIntervalMs ?? 3_000, 1),
    maxReconnectDelayMs: atLeast('maxReconnectDelayMs', input.maxReconnectDelayMs ?? 5_000, 1),
    keepsProcess,
    warn: input.warn ?? emitLanewayWarning,
    random: input.random ?? Math.random,
    now: input.now ?? Date.now,
  })
}

function atLeast(name: string, value: number, least: number): number {
  if (!(value >= least && value <= 2 ** 31 - 1)) throw invalid(name, `a number of milliseconds from ${least}`, value)
  return value
}

function invalid(name: string, what: string, value: unknown): LanewayError {
  return new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `createNacosClient: ${name} must be ${what}, received ${describe(value)}`,
  )
}
