import {
  assertKnownKeys,
  createEgressScope,
  describe,
  type EgressScope,
  type EgressScopeOptions,
  LanewayError,
  resolveHeaderName,
} from '@laneway/core'
import type { EgressResolver, LaneResolver } from '@laneway/discovery'

/** What a channel uses of a resolver. */
export type GrpcResolver = Pick<
  LaneResolver,
  'match' | 'pick' | 'started' | 'finished' | 'lookup' | 'refusal' | 'onEndpointGone'
> &
  Pick<EgressResolver, 'mayReconnect'>

/** Options of `laneChannel`. */
export interface LaneChannelOptions extends EgressScopeOptions {
  /** Resolves service names and chooses their endpoints. @default none: only the tag is forwarded */
  resolver?: GrpcResolver
  /** The metadata key that carries the lane. @default 'x-mse-tag', the header that MSE and OpenKruise Rollouts use */
  header?: string
  /**
   * Also writes the lane into the W3C `baggage` metadata of calls in scope, for hops that forward nothing else.
   * @default false, because one carrier cannot disagree with itself
   */
  baggage?: boolean
  /**
   * Leaves a tag that the caller set by hand on a call to a host out of scope.
   * @default false, because a lane name is nobody else's business
   */
  keepHandSet?: boolean
  /**
   * How long a connection to an endpoint may take before another endpoint is tried, in milliseconds.
   * @default 2000, one lost SYN and its repetition
   */
  connectTimeoutMs?: number
}

/** {@link LaneChannelOptions} with defaults. */
export interface ResolvedLaneChannelOptions {
  readonly resolver: GrpcResolver | undefined
  readonly header: string
  readonly baggage: boolean
  readonly keepHandSet: boolean
  readonly connectTimeoutMs: number
  readonly scope: EgressScope
  /** Of a preload: told of a fault of Laneway's own, and the call goes on without it. */
  readonly onFault: ((error: unknown) => void) | undefined
}

// What grpc-js accepts as a key: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"
const KEY = /^(?!grpc-)[0-9a-z_.-]+(?<!-bin)$/

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveLaneChannelOptions(
  where: string,
  input: LaneChannelOptions = {},
  onFault?: (error: unknown) => void,
): ResolvedLaneChannelOptions {
  assertKnownKeys(where, input, [
    'resolver',
    'header',
    'baggage',
    'keepHandSet',
    'connectTimeoutMs',
    'propagateTo',
    'warn',
  ])
  const { resolver, propagateTo, warn } = input
  if (resolver !== undefined && typeof resolver?.pick !== 'function') {
    throw invalid(`${where}: resolver is what createLaneResolver of @laneway/discovery returns`, resolver)
  }
  const connectTimeoutMs = input.connectTimeoutMs ?? 2000
  if (!(connectTimeoutMs >= 1 && connectTimeoutMs <= 2 ** 31 - 1)) {
    throw invalid(`${where}: connectTimeoutMs is 1 to 2147483647 milliseconds`, input.connectTimeoutMs)
  }
  return Object.freeze({
    resolver,
    header: resolveMetadataKey(where, input.header),
    baggage: flag(where, 'baggage', input.baggage),
    keepHandSet: flag(where, 'keepHandSet', input.keepHandSet),
    connectTimeoutMs,
    scope: createEgressScope(where, {
      ...(propagateTo !== undefined && { propagateTo }),
      ...(warn !== undefined && { warn }),
    }),
    onFault,
  })
}

/**
 * The metadata key of an adapter: a header name that gRPC can carry as text.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function resolveMetadataKey(where: string, header: string | undefined): string {
  const key = resolveHeaderName(where, header)
  if (KEY.test(key)) return key
  throw invalid(`${where}: header is a metadata key of a-z 0-9 _ . - without "grpc-" before and "-bin" behind`, header)
}

function flag(where: string, name: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw invalid(`${where}: ${name} is true or false`, value)
}

function invalid(expected: string, received: unknown): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `${expected}, received ${describe(received)}`)
}
