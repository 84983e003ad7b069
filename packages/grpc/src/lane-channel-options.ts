import type { EgressOptions, EgressSettings } from '@laneway/core'
import { milliseconds, OptionPlace, readEgressOptions, resolveHeaderNames } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'

/** Options of `laneChannel`. The tag goes into metadata, and so does the baggage. */
export interface LaneChannelOptions extends Omit<EgressOptions<EgressResolver>, 'endpointTls'> {
  /**
   * How long a connection to an endpoint may take before another endpoint is tried, in milliseconds.
   * @default 2000, one lost SYN and its repetition
   */
  connectTimeoutMs?: number
}

/** {@link LaneChannelOptions} with defaults. */
export interface ResolvedLaneChannelOptions extends EgressSettings<EgressResolver> {
  readonly connectTimeoutMs: number
  /** Of a preload: called with a fault of Laneway's own, and the call goes on without Laneway. */
  readonly onFault: ((error: unknown) => void) | undefined
}

// What grpc-js accepts as a key: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"
const KEY = /^(?!grpc-)[0-9a-z_.-]+(?<!-bin)$/

const CHANNEL = { connectTimeoutMs: milliseconds(2000, 1) }

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveLaneChannelOptions(
  where: string,
  input: LaneChannelOptions = {},
  onFault?: (error: unknown) => void,
): ResolvedLaneChannelOptions {
  const settings = readEgressOptions(where, input, CHANNEL)
  assertMetadataKey(where, input.header)
  return Object.freeze({ ...settings, onFault })
}

/**
 * Checks that gRPC can carry the header of an adapter as text.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertMetadataKey(where: string, header: string | readonly string[] | undefined): void {
  if (resolveHeaderNames(where, header).every(name => KEY.test(name))) return
  const place = new OptionPlace(where, ['header'])
  throw place.unexpected('a metadata key of a-z 0-9 _ . - without "grpc-" before and "-bin" behind', header)
}
