import type { Endpoint } from '../endpoint/endpoint.js'

/**
 * How a pick ended.
 *
 * - `base`: no lane was asked for and a base endpoint serves
 * - `lane`: an endpoint of one of the request's tags serves; `served` says which
 * - `fallback-missing`: the service has no endpoint of the lane; base serves
 * - `fallback-unavailable`: the lane has endpoints, none usable; base serves
 * - `lane-required`: as the two before, but the policy says `fail`; no endpoint
 * - `panic`: nothing usable is left where the request belongs, or less than `panicThreshold`; an enabled endpoint serves
 *   all the same
 * - `no-base`: only lane endpoints exist and the request has no lane; no endpoint
 * - `overloaded`: every endpoint that could serve has `maxInFlight` requests in flight; no endpoint
 * - `not-ready`: the service is known but its first snapshot has not arrived; no endpoint
 */
export type Outcome =
  | 'base'
  | 'lane'
  | 'fallback-missing'
  | 'fallback-unavailable'
  | 'lane-required'
  | 'panic'
  | 'no-base'
  | 'overloaded'
  | 'not-ready'

/** The result of a pick: frozen and built when the table was built, so a pick allocates nothing. */
export interface Choice {
  /** Canonical service name. */
  readonly service: string
  /** `undefined` for `lane-required`, `no-base`, `overloaded` and `not-ready`. */
  readonly endpoint: Endpoint | undefined
  readonly outcome: Outcome
  /** The tag whose endpoints served, `undefined` for base. */
  readonly served: string | undefined
}

/** How the use of a choice ended, seen from the connection. */
export type ChoiceEnd =
  /** A response (any status) began. */
  | 'ok'
  /** No connection could be made. */
  | 'connect-error'
  /** There was a connection, and no response byte within the time that the caller gave this one request. */
  | 'timeout'
  /** The connection ended before any response byte. */
  | 'reset'
  /** The caller gave up. */
  | 'aborted'
