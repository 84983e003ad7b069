import type { EgressOptions, EgressSettings, EndpointTls } from '@laneway/core'
import { endpointTls, flag, readEgressOptions } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'
import { laneVary } from './sent/vary.js'

/** Options of `composeLane`. */
export interface ComposeLaneOptions extends EgressOptions<EgressResolver> {
  /**
   * Vouches that an unknown dispatcher sends each request to `opts.origin`, as an Agent does and a Client does not.
   * @default what the dispatcher shows
   */
  routesByOrigin?: boolean
}

/** Checked options with their defaults. */
export interface UndiciSettings extends EgressSettings<EgressResolver> {
  /** What responses say in `Vary` to caches inside this process, see `laneVary`. */
  readonly vary: string
  readonly endpointTls: EndpointTls | undefined
}

const FETCH = { endpointTls }
const COMPOSE = { endpointTls, routesByOrigin: flag(false) }

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveEgressOptions(where: string, input: EgressOptions<EgressResolver> = {}): UndiciSettings {
  return withVaryMark(readEgressOptions(where, input, FETCH))
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveComposeOptions(
  where: string,
  input: ComposeLaneOptions = {},
): UndiciSettings & { readonly routesByOrigin: boolean } {
  return withVaryMark(readEgressOptions(where, input, COMPOSE))
}

function withVaryMark<S extends { readonly header: string }>(settings: S): S & { readonly vary: string } {
  return Object.freeze({ ...settings, vary: laneVary(settings.header) })
}
