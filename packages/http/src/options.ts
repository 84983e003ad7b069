import {
  assertKnownKeys,
  createEgressScope,
  describe,
  type EgressScope,
  type EgressScopeOptions,
  type EndpointTls,
  LanewayError,
  resolveEndpointTls,
  resolveHeaderName,
} from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'

/** What an agent uses of a resolver. */
export type EgressResolver = Pick<
  LaneResolver,
  'match' | 'pick' | 'started' | 'finished' | 'lookup' | 'refusal' | 'onEndpointGone'
>

/** Options of `LaneAgent` and `LaneHttpsAgent`. */
export interface LaneAgentOptions extends EgressScopeOptions {
  /** Resolves service names and chooses their endpoints. @default none: only the tag is forwarded */
  resolver?: EgressResolver
  /** The header that carries the lane. @default 'x-mse-tag', what MSE and OpenKruise Rollouts use */
  header?: string
  /**
   * Also writes the lane into the W3C `baggage` header of requests in scope, for hops that forward nothing else.
   * @default false, because one carrier cannot disagree with itself
   */
  baggage?: boolean
  /**
   * Leaves a tag that the caller set by hand on a request to a host out of scope; never on a redirect.
   * @default false, because clients carry such a header to whatever host a redirect names
   */
  keepHandSet?: boolean
  /**
   * How long a connection to an endpoint may take before another endpoint is tried, in milliseconds.
   * @default 2000, one lost SYN and its repetition
   */
  connectTimeoutMs?: number
  /**
   * Trust in instances that speak TLS although the URL says `http` (Nacos metadata `secure=true`).
   * @default Node's own roots, and the name of the service
   */
  endpointTls?: EndpointTls
}

/** {@link LaneAgentOptions} with defaults. */
export interface ResolvedLaneAgentOptions {
  readonly resolver: EgressResolver | undefined
  readonly header: string
  readonly baggage: boolean
  readonly keepHandSet: boolean
  readonly connectTimeoutMs: number
  readonly endpointTls: EndpointTls | undefined
  readonly scope: EgressScope
  /** Of a preload: told of a fault of Laneway's own, and the request goes on without it. Else faults are the request's. */
  readonly onFault: ((error: unknown) => void) | undefined
}

const resolved = new WeakSet<object>()

/**
 * Options that were resolved before pass through, so that agents which stand for one can share them, warnings included.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function resolveLaneAgentOptions(
  where: string,
  input: LaneAgentOptions | ResolvedLaneAgentOptions = {},
  onFault?: (error: unknown) => void,
): ResolvedLaneAgentOptions {
  if (isResolved(input)) return input
  assertKnownKeys(where, input, [
    'resolver',
    'header',
    'baggage',
    'keepHandSet',
    'connectTimeoutMs',
    'endpointTls',
    'propagateTo',
    'warn',
  ])
  const { resolver } = input
  if (resolver !== undefined && typeof resolver?.pick !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: resolver is what createLaneResolver of @laneway/discovery returns, received ${describe(resolver)}`,
    )
  }
  const connectTimeoutMs = input.connectTimeoutMs ?? 2000
  if (!(connectTimeoutMs >= 1 && connectTimeoutMs <= 2 ** 31 - 1)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: connectTimeoutMs is 1 to 2147483647 milliseconds, received ${describe(input.connectTimeoutMs)}`,
    )
  }
  const options: ResolvedLaneAgentOptions = Object.freeze({
    resolver,
    header: resolveHeaderName(where, input.header),
    baggage: flag(where, 'baggage', input.baggage),
    keepHandSet: flag(where, 'keepHandSet', input.keepHandSet),
    connectTimeoutMs,
    endpointTls: resolveEndpointTls(where, input.endpointTls),
    scope: createEgressScope(where, scopeOptions(input)),
    onFault,
  })
  resolved.add(options)
  return options
}

function isResolved(input: LaneAgentOptions | ResolvedLaneAgentOptions): input is ResolvedLaneAgentOptions {
  return resolved.has(input)
}

function flag(where: string, name: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}: ${name} is true or false, received ${describe(value)}`)
}

function scopeOptions({ propagateTo, warn }: LaneAgentOptions): EgressScopeOptions {
  const options: EgressScopeOptions = {}
  if (propagateTo !== undefined) options.propagateTo = propagateTo
  if (warn !== undefined) options.warn = warn
  return options
}
