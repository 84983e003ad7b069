import type { Lane, LanewayError } from '@laneway/core'
import type { Endpoint } from './endpoint/endpoint.js'
import type { Explanation } from './explain/explanation.js'
import type { ResolverHealth } from './health.js'
import type { ResolverSettings } from './resolver-settings.js'
import type { ServiceState } from './service/service-state.js'
import type { Choice, ChoiceEnd } from './table/choice.js'

/**
 * What an adapter that sends requests uses of a resolver. Any object of this shape will do in every adapter.
 *
 * The way of a hop: `match` names the service of a host, `pick` chooses, `started`/`finished` report the use. When
 * `pick` says `not-ready`, the adapter waits for `lookup(service)` once and asks `match` and `pick` again.
 */
export interface EgressResolver {
  /**
   * The service that a URL's host names, or `undefined`: then the host goes to DNS, untouched.
   * Synchronous, cached, never throws. A name that could be a service and is not known yet counts as one until the
   * sources have answered. Before the first snapshot the ports of a service are not known. So an adapter that waited
   * asks again.
   * @param hostname - as in a URL: lower or upper case, with or without trailing dot, IPv6 in brackets
   * @param port - the port in the URL; `undefined` or the scheme's default when it has none
   * @param secure - `true` for https
   */
  match(hostname: string, port: number | undefined, secure: boolean): string | undefined
  /**
   * Chooses an endpoint. Synchronous, never throws, never waits, allocates nothing.
   * @param tried - addresses (`endpoint.address`) that failed before any response byte during this request
   */
  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice
  /** Reports that a request to the chosen endpoint begins. */
  started(choice: Choice): void
  /**
   * Reports how it ended; exactly once per `started`. Feeds in-flight counts and outlier ejection.
   * @param status - of the response when the end is `ok`: an HTTP status, or what a gRPC status stands for. An adapter that
   * leaves it out has no endpoint ejected for statuses.
   */
  finished(choice: Choice, end: ChoiceEnd, status?: number): void
  /**
   * Asks whether a request whose connection to this endpoint failed may go to another one, and counts it if so. Adapters ask
   * before each reconnect of their own; `false` means that the request fails with the error of its connection.
   */
  mayReconnect?(choice: Choice): boolean
  /**
   * Waits until the sources have said whether a service that {@link match} named exists, at most `lookupTimeoutMs`. Of a
   * declared service it waits as `ready` of the resolver does. Then {@link match} says whether the host is one.
   * @throws LanewayError `LANEWAY_NOT_READY` after `readyTimeoutMs`, `LANEWAY_CLOSED` after `close()`
   */
  lookup(service: string): Promise<void>
  /**
   * The error for a choice without an endpoint, with the reason and a hint.
   * `LANEWAY_LANE_REQUIRED`, `LANEWAY_NOT_READY`, `LANEWAY_NO_INSTANCES`, `LANEWAY_NO_BASE` or `LANEWAY_OVERLOADED`.
   * @param cause - why the attempt before failed
   */
  refusal?(choice: Choice, lane: Lane | undefined, cause?: unknown): LanewayError
  /** Called with each endpoint that left its service, so that its connections can be closed. Returns the unsubscribe. */
  onEndpointGone?(listener: (endpoint: Endpoint) => void): () => void
}

/** Holds the current table of each service. */
export interface LaneResolver extends Required<EgressResolver> {
  /**
   * Waits for the first snapshot of a service and declares it.
   * @throws LanewayError `LANEWAY_NOT_READY` after `readyTimeoutMs`, `LANEWAY_CLOSED` after `close()`
   */
  ready(service: string): Promise<void>
  /** How a request would be decided and why, as plain data. Chooses nothing, never throws. */
  explain(service: string, lane: Lane | string | undefined, tried?: ReadonlySet<string>): Explanation
  /** What is known about a service: status, age, endpoints per lane. `undefined` for a service that was neither declared nor used. */
  state(service: string): ServiceState | undefined
  /** The states of all services. */
  states(): ServiceState[]
  /** Sources and services for a health endpoint, as plain data. A registry that is lost is a warning, not "unready". */
  health(): ResolverHealth
  /**
   * Replaces settings while requests run: what is left out is again what `createLaneResolver` was given. All of them change in
   * one turn, or none. Requests that have their endpoint keep it; failures, requests in flight and ejections stay known.
   * @throws LanewayError `LANEWAY_INVALID_OPTION`; then nothing changes
   */
  update(settings: ResolverSettings): void
  /** Ends all subscriptions and the sources. Idempotent. */
  close(): Promise<void>
}
