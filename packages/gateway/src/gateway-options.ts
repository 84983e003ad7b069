import type { SecureContextOptions } from 'node:tls'
import type { TraceOptions, Trust } from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'
import type { HttpRoute, RulesInput } from '@laneway/rules'
import type { AccessLogEntry, LogDestination } from './observe/access-log.js'
import type { ServiceOf } from './route/backend.js'
import type { GatewayRoute } from './route/gateway-route.js'
import type { Rules } from './route/routing.js'

/** One port. */
export interface ListenerOptions {
  /** @default 0, a free one */
  readonly port?: number
  /** @default '0.0.0.0', because clients are on other machines */
  readonly host?: string
  /** `h2c` is HTTP/2 without TLS, by prior knowledge; `https` speaks HTTP/2 and HTTP/1.1. @default 'http' */
  readonly protocol?: 'http' | 'https' | 'h2c'
  /** For `https`: what `tls.createSecureContext` takes. */
  readonly tls?: SecureContextOptions & {
    /** Offer HTTP/2. @default true */
    readonly http2?: boolean
  }
}

/** How long clients may take. 0 means no limit. */
export interface ClientOptions {
  /** For the head of a request, and from a new connection to its first request. @default 60000, as in Node */
  readonly headersTimeoutMs?: number
  /** For a TLS handshake. @default 10000: it takes three round trips, and a silent client costs a descriptor */
  readonly handshakeTimeoutMs?: number
  /** Between two requests of a connection. @default 75000, longer than that of load balancers, so that they close first */
  readonly keepAliveMs?: number
  /**
   * For the next part of a body that an upstream waits for, and for reading what was sent of an answer. The request holds
   * a connection to its upstream for so long.
   * @default 60000, as in nginx: a slow client tries again, and a client that vanished frees its connection
   */
  readonly stallTimeoutMs?: number
}

/** Connections and time limits towards upstreams. */
export interface UpstreamOptions {
  /** @default 2000: inside a cluster a connection takes milliseconds, and the gateway then tries another endpoint */
  readonly connectTimeoutMs?: number
  /** From the request to the head of the answer. @default 60000 */
  readonly headersTimeoutMs?: number
  /** Between two chunks of an answer; 0: no limit. @default 300000 */
  readonly bodyTimeoutMs?: number
  /**
   * Connections to one endpoint. Up to 1024 further requests wait, each for `headersTimeoutMs`; the others get 503 `busy`.
   * WebSockets do not count.
   * @default 1024, as in Envoy: an endpoint with more open requests hardly answers, and each connection costs a descriptor
   */
  readonly connections?: number
  /** How long an idle connection stays open. @default 4000, less than that of most servers */
  readonly keepAliveMs?: number
  /** TLS to services with `scheme: https`, as in `tls.connect`. */
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean }
}

/** Options of `createGateway`. */
export interface GatewayOptions {
  /** Finds and chooses endpoints. The gateway closes it. */
  readonly resolver: LaneResolver
  /** Short routes and Gateway API `HTTPRoute`s; one precedence orders them all. */
  readonly routes: readonly (GatewayRoute | HttpRoute)[]
  /** Which request goes into which lane: a document, or what `watchRules` or `createRulesHolder` returns. @default none */
  readonly rules?: RulesInput | Rules
  /** @default one free HTTP port */
  readonly listeners?: readonly ListenerOptions[]
  /** `/healthz`, `/readyz` and `/metrics`. @default none */
  readonly admin?: { readonly port?: number; readonly host?: string }
  /** Whose tags are trusted. @default 'edge', those of no sender, because the public can reach this port */
  readonly trust?: Trust
  /**
   * Answers requests that ask by `x-laneway-trace` for their path: those of trusted senders, those with the token, and those of rules
   * with `trace: true`. Of all others the header is removed. `false` answers none.
   * @default the name `gateway`, and the token of LANEWAY_TRACE_TOKEN if it is set
   */
  readonly trace?: boolean | TraceOptions
  /**
   * The header that carries the lane. Of a list, for migrations, the first that is present is read, and all are written.
   * @default 'x-mse-tag'
   */
  readonly header?: string | readonly string[]
  /**
   * How many proxies stand in front. Of `X-Forwarded-*` and `Forwarded`, the gateway keeps what these proxies added and
   * removes the rest. `all` keeps everything.
   * @default 0: the gateway replaces all of these fields, because a client can send them
   */
  readonly proxies?: number | 'all'
  /** Also write `Forwarded` (RFC 7239). @default false, because few services read it */
  readonly forwarded?: boolean
  /** `keep` the `Host` of the client, or send the name of the `service`. @default 'keep', as in Gateway API */
  readonly hostHeader?: 'keep' | 'service'
  /**
   * `Cache-Control: private` on answers to requests whose lane depends on more than the URL.
   * @default true, because a shared cache would give the answer of one lane to everybody
   */
  readonly privateAnswers?: boolean
  readonly client?: ClientOptions
  readonly upstream?: UpstreamOptions
  /** External hosts that get the tag, as in `composeLane`. @default [] */
  readonly propagateTo?: readonly string[]
  /** `true` writes JSON lines to standard output. @default false; the command has true */
  readonly accessLog?: boolean | ((entry: AccessLogEntry) => void) | LogDestination
  /** Called with the reason when an upstream could not answer. @default none; the log has the kind of error */
  readonly onUpstreamError?: (error: unknown, service: string) => void
  /** How the gateway stops. */
  readonly drain?: DrainOptions
  /**
   * Gives the name of the service for a backend of an `HTTPRoute`.
   * @default the backend's name, with its namespace where the route names one
   */
  readonly serviceOf?: ServiceOf
  /** 0 <= n < 1, for weights. @default Math.random */
  readonly random?: () => number
}

/** How a gateway stops. */
export interface DrainOptions {
  /**
   * How long the gateway reports "not ready" and still serves: time for load balancers to notice.
   * @default 0; the command has 5000, because Kubernetes probes every few seconds
   */
  readonly delayMs?: number
  /** For requests in flight; the gateway then aborts the rest. @default 25000, less than the 30 s of Kubernetes */
  readonly timeoutMs?: number
}
