import { type OptionTable, RESOLVER_SETTINGS, readOptions } from '@laneway/core/internal'
import {
  type LaneResolverOptions,
  OPTIONS,
  type ResolvedLaneResolverOptions,
  resolveLaneResolverOptions,
} from './resolver-options.js'

/** What `resolver.update` replaces. Each means what it means in `LaneResolverOptions`. */
export type ResolverSettings = Pick<LaneResolverOptions, (typeof RESOLVER_SETTINGS)[number]>

const SETTINGS = Object.fromEntries(
  RESOLVER_SETTINGS.map(name => [name, OPTIONS[name]]),
) as unknown as OptionTable<ResolverSettings>

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
