import { type OptionTable, readOptions } from '@laneway/core/internal'
import {
  type LaneResolverOptions,
  OPTIONS,
  type ResolvedLaneResolverOptions,
  resolveLaneResolverOptions,
} from './resolver-options.js'

/** What `resolver.update` replaces. Each means what it means in `LaneResolverOptions`. */
export type ResolverSettings = Pick<
  LaneResolverOptions,
  | 'services'
  | 'whenLaneMissing'
  | 'whenLaneUnavailable'
  | 'policies'
  | 'balancer'
  | 'baseEmpty'
  | 'zone'
  | 'outlier'
  | 'panicThreshold'
  | 'slowStartMs'
  | 'slowStartAggression'
  | 'slowStartMinShare'
  | 'maxInFlight'
>

const SETTINGS = {
  services: OPTIONS.services,
  whenLaneMissing: OPTIONS.whenLaneMissing,
  whenLaneUnavailable: OPTIONS.whenLaneUnavailable,
  policies: OPTIONS.policies,
  balancer: OPTIONS.balancer,
  baseEmpty: OPTIONS.baseEmpty,
  zone: OPTIONS.zone,
  outlier: OPTIONS.outlier,
  panicThreshold: OPTIONS.panicThreshold,
  slowStartMs: OPTIONS.slowStartMs,
  slowStartAggression: OPTIONS.slowStartAggression,
  slowStartMinShare: OPTIONS.slowStartMinShare,
  maxInFlight: OPTIONS.maxInFlight,
} satisfies OptionTable<ResolverSettings>

/**
 * The options of a resolver with some settings in place of what it was given.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function withSettings(given: LaneResolverOptions, settings: ResolverSettings): ResolvedLaneResolverOptions {
  readOptions('update', settings, SETTINGS)
  const said = Object.entries(settings).filter(([, value]) => value !== undefined)
  return resolveLaneResolverOptions({ ...given, ...Object.fromEntries(said) })
}
