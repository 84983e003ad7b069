import {
  assertKnownKeys,
  createEgressScope,
  describe,
  type EgressScope,
  type EndpointTls,
  LanewayError,
  resolveEndpointTls,
  resolveHeaderName,
  type Warn,
} from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'
import { laneVary } from './sent/vary.js'

/** Options of everything in this package that sends requests. */
export interface LaneEgressOptions {
  /**
   * Finds and chooses endpoints. Without one, tags are forwarded and DNS finds the hosts.
   * @default none
   */
  resolver?: LaneResolver | undefined
  /**
   * Name of the header that carries the lane.
   * @default 'x-mse-tag', which MSE and OpenKruise Rollouts use
   */
  header?: string
  /**
   * Hosts besides the internal ones that get the tag: exact names, `*.suffix`, addresses, CIDR blocks.
   * @default [], because a lane name is nobody else's business
   */
  propagateTo?: readonly string[]
  /**
   * Leaves a tag that the caller set by hand on a request to any host; never on a redirect.
   * @default false
   */
  keepHandSet?: boolean
  /**
   * Also writes the lane as first member of the W3C `baggage` header, for neighbours that forward only baggage.
   * @default false, because the header is what MSE reads
   */
  baggage?: boolean
  /**
   * Trust in instances that speak TLS although the URL says `http` (Nacos metadata `secure=true`).
   * @default Node's own roots, and the name of the service
   */
  endpointTls?: EndpointTls
  /** Told once per host that a tag was kept from. @default process.emitWarning */
  warn?: Warn
}

/** Options of `composeLane`. */
export interface ComposeLaneOptions extends LaneEgressOptions {
  /**
   * Vouches that an unknown dispatcher sends each request to `opts.origin`, as an Agent does and a Client does not.
   * @default what the dispatcher shows
   */
  routesByOrigin?: boolean
}

/** Checked options with their defaults. */
export interface EgressSettings {
  readonly resolver: LaneResolver | undefined
  readonly header: string
  /** What responses say in `Vary` to caches inside this process, see `laneVary`. */
  readonly vary: string
  readonly scope: EgressScope
  readonly keepHandSet: boolean
  readonly baggage: boolean
  readonly endpointTls: EndpointTls | undefined
  readonly routesByOrigin: boolean
}

const EGRESS_KEYS = ['resolver', 'header', 'propagateTo', 'keepHandSet', 'baggage', 'endpointTls', 'warn']
const COMPOSE_KEYS = [...EGRESS_KEYS, 'routesByOrigin']

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveEgressOptions(
  where: string,
  input: ComposeLaneOptions = {},
  keys: readonly string[] = COMPOSE_KEYS,
): EgressSettings {
  assertKnownKeys(where, input, keys)
  for (const key of ['keepHandSet', 'baggage', 'routesByOrigin'] as const) {
    if (input[key] !== undefined && typeof input[key] !== 'boolean') {
      throw invalid(`${where}: ${key} is true or false, received ${describe(input[key])}`)
    }
  }
  const { resolver } = input
  if (resolver !== undefined && (typeof resolver?.pick !== 'function' || typeof resolver.match !== 'function')) {
    throw invalid(`${where}: resolver is what createLaneResolver() returns, received ${describe(resolver)}`)
  }
  const header = resolveHeaderName(where, input.header)
  return Object.freeze({
    resolver,
    header,
    vary: laneVary(header),
    scope: createEgressScope(where, {
      ...(input.propagateTo !== undefined && { propagateTo: input.propagateTo }),
      ...(input.warn !== undefined && { warn: input.warn }),
    }),
    keepHandSet: input.keepHandSet ?? false,
    baggage: input.baggage ?? false,
    endpointTls: resolveEndpointTls(where, input.endpointTls),
    routesByOrigin: input.routesByOrigin ?? false,
  })
}

/** Keys of {@link LaneEgressOptions}, for the checks of functions that take more or fewer. */
export const LANE_EGRESS_KEYS: readonly string[] = EGRESS_KEYS

function invalid(message: string): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', message)
}
