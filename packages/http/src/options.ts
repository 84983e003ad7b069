import type { EgressOptions, EgressSettings, EndpointTls } from '@laneway/core'
import { endpointTls, milliseconds, readEgressOptions } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'

/** Options of `LaneAgent` and `LaneHttpsAgent`. */
export interface LaneAgentOptions extends EgressOptions<EgressResolver> {
  /**
   * How long a connection to an endpoint may take before another endpoint is tried, in milliseconds.
   * @default 2000, one lost SYN and its repetition
   */
  connectTimeoutMs?: number
}

/** {@link LaneAgentOptions} with defaults. */
export interface ResolvedLaneAgentOptions extends EgressSettings<EgressResolver> {
  readonly connectTimeoutMs: number
  readonly endpointTls: EndpointTls | undefined
  /**
   * Of a preload: called with a fault of Laneway's own, and the request goes on without Laneway. Without it such a fault is
   * the error of the request.
   */
  readonly onFault: ((error: unknown) => void) | undefined
}

const AGENT = { connectTimeoutMs: milliseconds(2000, 1), endpointTls }

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
  const options = Object.freeze({ ...readEgressOptions(where, input, AGENT), onFault })
  resolved.add(options)
  return options
}

function isResolved(input: LaneAgentOptions | ResolvedLaneAgentOptions): input is ResolvedLaneAgentOptions {
  return resolved.has(input)
}
