import type { SecureContextOptions } from 'node:tls'
import { assertKnownKeys, assertOneOf, describe, LanewayError, resolveHeaderName, type Trust } from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'
import type { HttpRoute, RulesInput } from '@laneway/rules'
import type { AccessLogEntry, LogDestination } from './observe/access-log.js'
import type { GatewayRoute } from './route/gateway-route.js'
import type { ServiceOf } from './route/route-table.js'
import type { Rules } from './route/routing.js'

/** One port. */
export interface ListenerOptions {
  /** @default 0, a free one */
  readonly port?: number
  /** @default '0.0.0.0', because an entrance is for others */
  readonly host?: string
  /** `h2c` is HTTP/2 without TLS, by prior knowledge; `https` speaks HTTP/2 and HTTP/1.1. @default 'http' */
  readonly protocol?: 'http' | 'https' | 'h2c'
  /** For `https`: what `tls.createSecureContext` takes. */
  readonly tls?: SecureContextOptions & {
    /** Offer HTTP/2. @default true */
    readonly http2?: boolean
  }
}

/** How long clients may take. */
export interface ClientOptions {
  /** For the head of a request, and for the first one of a connection; 0 for ever. @default 60000, as in Node */
  readonly headersTimeoutMs?: number
  /** For a TLS handshake; 0 for ever. @default 10000: three round trips, and clients that say nothing cost a descriptor */
  readonly handshakeTimeoutMs?: number
  /** Without a request; 0 for ever. @default 75000, longer than load balancers keep theirs, so that it is they who close */
  readonly keepAliveMs?: number
  /**
   * For the next part of a body that an upstream waits for, or to take what was sent of an answer; 0 for ever. Until then
   * the request holds a connection to its upstream.
   * @default 60000, as nginx: a client that takes longer comes back, and one that is gone without a word does not
   */
  readonly stallTimeoutMs?: number
}

/** {@link ClientOptions} with every default. */
export type ResolvedClientOptions = Readonly<Required<ClientOptions>>

/** How upstreams are called. */
export interface UpstreamOptions {
  /** @default 2000: inside a cluster a connection takes milliseconds, and another endpoint is tried after it */
  readonly connectTimeoutMs?: number
  /** From the request to the head of the answer. @default 60000 */
  readonly headersTimeoutMs?: number
  /** Between two chunks of an answer; 0 never. @default 300000 */
  readonly bodyTimeoutMs?: number
  /**
   * Connections to one endpoint. Further requests wait, at most 1024 of them, each for `headersTimeoutMs`; then they get
   * 503 `busy`. WebSockets do not count.
   * @default 1024, as Envoy: an endpoint that needs more at once does not answer any more, and each costs a descriptor
   */
  readonly connections?: number
  /** How long an idle connection is kept. @default 4000, less than most servers keep theirs */
  readonly keepAliveMs?: number
  /** TLS to services with `scheme: https`, as in `tls.connect`. */
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean }
}

/** Options of `createGateway`. */
export interface GatewayOptions {
  /** Finds and chooses endpoints. Closed with the gateway. */
  readonly resolver: LaneResolver
  /** Short routes and Gateway API `HTTPRoute`s, together in one precedence. */
  readonly routes: readonly (GatewayRoute | HttpRoute)[]
  /** Who goes into which lane: a document, or what `watchRules` and `createRulesHolder` return. @default nobody */
  readonly rules?: RulesInput | Rules
  /** @default one HTTP port that is free */
  readonly listeners?: readonly ListenerOptions[]
  /** `/healthz`, `/readyz` and `/metrics`. @default none */
  readonly admin?: { readonly port?: number; readonly host?: string }
  /** Who may colour a request by a header of its own. @default 'edge', nobody: this is where the public comes in */
  readonly trust?: Trust
  /** The header that carries the lane. @default 'x-mse-tag' */
  readonly header?: string
  /**
   * How many proxies in front are believed about the client (`X-Forwarded-*`, `Forwarded`); what they were told by
   * others is cut off. `all` believes whatever is sent.
   * @default 0: everything of the kind is replaced, because a client can send it
   */
  readonly proxies?: number | 'all'
  /** Also write `Forwarded` (RFC 7239). @default false; few read it */
  readonly forwarded?: boolean
  /** `keep` the client's `Host`, or send the `service`'s name. @default 'keep', as Gateway API */
  readonly hostHeader?: 'keep' | 'service'
  /**
   * `Cache-Control: private` on answers to requests whose lane depends on more than the URL.
   * @default true, because a shared cache would hand the answer of one lane to everybody
   */
  readonly privateAnswers?: boolean
  readonly client?: ClientOptions
  readonly upstream?: UpstreamOptions
  /** Hosts outside that get the tag, as in `composeLane`. @default [] */
  readonly propagateTo?: readonly string[]
  /** `true` writes JSON lines to standard output. @default false; the command turns it on */
  readonly accessLog?: boolean | ((entry: AccessLogEntry) => void) | LogDestination
  /** Told why an upstream could not answer. @default nobody; the log has the kind of error */
  readonly onUpstreamError?: (error: unknown, service: string) => void
  /** How it ends. */
  readonly drain?: DrainOptions
  /**
   * Names the service of an `HTTPRoute`'s backend.
   * @default its name, with its namespace when it gives one
   */
  readonly serviceOf?: ServiceOf
  /** 0 <= n < 1, for weights. @default Math.random */
  readonly random?: () => number
}

/** How a gateway ends. */
export interface DrainOptions {
  /**
   * Not ready, but still serving: time for load balancers to notice.
   * @default 0; the command has 5000, since Kubernetes looks every few seconds
   */
  readonly delayMs?: number
  /** For requests under way; what is left then is cut off. @default 25000, less than the 30 s of Kubernetes */
  readonly timeoutMs?: number
}

/** {@link GatewayOptions} with every default. */
export interface ResolvedGatewayOptions {
  readonly listeners: readonly ListenerOptions[]
  readonly admin: { readonly port: number; readonly host: string } | undefined
  readonly trust: Trust
  readonly header: string
  /** `Infinity` for all. */
  readonly proxies: number
  readonly forwarded: boolean
  readonly hostHeader: 'keep' | 'service'
  readonly privateAnswers: boolean
  readonly client: ResolvedClientOptions
  readonly upstream: Required<Omit<UpstreamOptions, 'tls'>> & {
    readonly tls: UpstreamOptions['tls']
  }
  readonly propagateTo: readonly string[]
  readonly accessLog: boolean | ((entry: AccessLogEntry) => void) | LogDestination
  readonly onUpstreamError: GatewayOptions['onUpstreamError']
  readonly drain: Required<DrainOptions>
  readonly serviceOf: ServiceOf
  readonly random: () => number
}

const KEYS: readonly (keyof GatewayOptions)[] = [
  'resolver',
  'routes',
  'rules',
  'listeners',
  'admin',
  'trust',
  'header',
  'proxies',
  'forwarded',
  'hostHeader',
  'privateAnswers',
  'client',
  'upstream',
  'propagateTo',
  'accessLog',
  'onUpstreamError',
  'drain',
  'serviceOf',
  'random',
]
export const LISTENER_KEYS: readonly (keyof ListenerOptions)[] = ['port', 'host', 'protocol', 'tls']
export const CLIENT_KEYS: readonly (keyof ClientOptions)[] = [
  'headersTimeoutMs',
  'handshakeTimeoutMs',
  'keepAliveMs',
  'stallTimeoutMs',
]
export const UPSTREAM_KEYS: readonly (keyof UpstreamOptions)[] = [
  'connectTimeoutMs',
  'headersTimeoutMs',
  'bodyTimeoutMs',
  'connections',
  'keepAliveMs',
  'tls',
]

const WHERE = 'createGateway'
const MAX_MS = 2 ** 31 - 1

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveGatewayOptions(input: GatewayOptions): ResolvedGatewayOptions {
  assertKnownKeys(WHERE, input, KEYS)
  if (typeof input.resolver?.pick !== 'function') {
    throw invalid(`resolver is what createLaneResolver() returns, received ${describe(input.resolver)}`)
  }
  if (!Array.isArray(input.routes)) throw invalid(`routes is a list, received ${describe(input.routes)}`)
  const { client = {}, upstream = {}, drain = {}, admin, accessLog = false, proxies = 0, listeners = [{}] } = input
  assertKnownKeys(`${WHERE}: client`, client, CLIENT_KEYS)
  assertKnownKeys(`${WHERE}: upstream`, upstream, UPSTREAM_KEYS)
  assertKnownKeys(`${WHERE}: drain`, drain, ['delayMs', 'timeoutMs'])
  if (admin !== undefined) assertKnownKeys(`${WHERE}: admin`, admin, ['port', 'host'])
  assertOneOf(`${WHERE}: hostHeader`, input.hostHeader ?? 'keep', ['keep', 'service'])
  const takesLines = typeof accessLog === 'function' || typeof (accessLog as LogDestination)?.write === 'function'
  if (typeof accessLog !== 'boolean' && !takesLines) {
    throw invalid(`accessLog is true, false, a function or a stream, received ${describe(accessLog)}`)
  }
  for (const key of ['onUpstreamError', 'serviceOf', 'random'] as const) {
    if (input[key] !== undefined && typeof input[key] !== 'function') throw invalid(`${key} is a function`)
  }
  return Object.freeze({
    listeners: readListeners(listeners),
    admin:
      admin === undefined
        ? undefined
        : { port: readPort('admin.port', admin.port ?? 0), host: admin.host ?? '127.0.0.1' },
    trust: input.trust ?? 'edge',
    header: resolveHeaderName(WHERE, input.header),
    proxies: proxies === 'all' ? Number.POSITIVE_INFINITY : readNumber('proxies', proxies, 0, 16),
    forwarded: readBoolean('forwarded', input.forwarded ?? false),
    hostHeader: input.hostHeader ?? 'keep',
    privateAnswers: readBoolean('privateAnswers', input.privateAnswers ?? true),
    client: Object.freeze({
      headersTimeoutMs: readNumber('client.headersTimeoutMs', client.headersTimeoutMs ?? 60_000, 0, MAX_MS),
      handshakeTimeoutMs: readNumber('client.handshakeTimeoutMs', client.handshakeTimeoutMs ?? 10_000, 0, MAX_MS),
      keepAliveMs: readNumber('client.keepAliveMs', client.keepAliveMs ?? 75_000, 0, MAX_MS),
      stallTimeoutMs: readNumber('client.stallTimeoutMs', client.stallTimeoutMs ?? 60_000, 0, MAX_MS),
    }),
    upstream: Object.freeze({
      connectTimeoutMs: readNumber('upstream.connectTimeoutMs', upstream.connectTimeoutMs ?? 2000, 1, MAX_MS),
      headersTimeoutMs: readNumber('upstream.headersTimeoutMs', upstream.headersTimeoutMs ?? 60_000, 0, MAX_MS),
      bodyTimeoutMs: readNumber('upstream.bodyTimeoutMs', upstream.bodyTimeoutMs ?? 300_000, 0, MAX_MS),
      keepAliveMs: readNumber('upstream.keepAliveMs', upstream.keepAliveMs ?? 4000, 1, MAX_MS),
      connections: readNumber('upstream.connections', upstream.connections ?? 1024, 1, 65_535),
      tls: upstream.tls,
    }),
    propagateTo: Object.freeze([...(input.propagateTo ?? [])]),
    accessLog,
    onUpstreamError: input.onUpstreamError,
    drain: Object.freeze({
      delayMs: readNumber('drain.delayMs', drain.delayMs ?? 0, 0, MAX_MS),
      timeoutMs: readNumber('drain.timeoutMs', drain.timeoutMs ?? 25_000, 0, MAX_MS),
    }),
    serviceOf: input.serviceOf ?? serviceOfBackend,
    random: input.random ?? Math.random,
  })
}

/** The default of `serviceOf`. The port of a backend is not used: the registry says on which ones its endpoints listen. */
export function serviceOfBackend({ name, namespace }: Parameters<ServiceOf>[0]): string {
  return namespace === undefined ? name : `${name}.${namespace}`
}

function readListeners(listeners: readonly ListenerOptions[]): readonly ListenerOptions[] {
  if (!Array.isArray(listeners) || listeners.length === 0) {
    throw invalid(`listeners is a list of at least one, received ${describe(listeners)}`)
  }
  return Object.freeze(
    (listeners as readonly ListenerOptions[]).map((listener, index) => {
      const where = `listeners[${index}]`
      assertKnownKeys(`${WHERE}: ${where}`, listener, LISTENER_KEYS)
      assertOneOf(`${WHERE}: ${where}.protocol`, listener.protocol ?? 'http', ['http', 'https', 'h2c'])
      readPort(`${where}.port`, listener.port ?? 0)
      if (listener.protocol === 'https' && listener.tls === undefined) {
        throw invalid(`${where}.tls is needed for https: { cert, key }`)
      }
      if (listener.protocol !== 'https' && listener.tls !== undefined) {
        throw invalid(`${where}.tls is for protocol https, received ${describe(listener.protocol ?? 'http')}`)
      }
      return Object.freeze({ ...listener })
    }),
  )
}

function readPort(name: string, value: number): number {
  return readNumber(name, value, 0, 65_535)
}

function readNumber(name: string, value: number, least: number, most: number): number {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw invalid(`${name} is a whole number from ${least} to ${most}, received ${describe(value)}`)
  }
  return value
}

function readBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw invalid(`${name} is true or false, received ${describe(value)}`)
  return value
}

function invalid(message: string): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `${WHERE}: ${message}`)
}
