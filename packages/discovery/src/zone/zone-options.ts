import { type Option, OptionPlace, type OptionTable, oneOf, readOptions, text, whole } from '@laneway/core/internal'

/**
 * How the own zone is preferred, within the endpoints of base or of one lane:
 *
 * - `capacity`: as much as the own zone has capacity for, the rest to zones with capacity left, as Envoy does
 * - `always`: the own zone as long as one of its endpoints is usable, as the Nacos balancer of Spring Cloud Alibaba does
 * - `hints`: the endpoints that the registry has set aside for the own zone (`forZones`), as kube-proxy does; without
 *   hints no zone is preferred
 * - `never`: zones do not count
 */
export type ZonePreference = 'capacity' | 'always' | 'hints' | 'never'

export const ZONE_PREFERENCES = ['capacity', 'always', 'hints', 'never'] as const

/** The zone of this process, and what it means for the choice of an endpoint. */
export interface ZoneOptions {
  /**
   * As the registry names zones: a Nacos cluster, or the label `topology.kubernetes.io/zone` of a node.
   * @default LANEWAY_ZONE, then what the source of the service knows
   */
  readonly name?: string
  /**
   * @default 'capacity' when the zone is given here or by LANEWAY_ZONE; else as the source has it by custom
   */
  readonly prefer?: ZonePreference
  /**
   * Where the callers of a service are, for `capacity`: the name of the service that this process belongs to, or how many
   * instances call from each zone.
   * @default evenly spread over the zones that the called service has
   */
  readonly callers?: string | Readonly<Record<string, number>>
  /**
   * `capacity` prefers no zone among fewer usable endpoints.
   * @default 1. Envoy has 6; a lane seldom has so many, and would lose its zones
   */
  readonly minEndpoints?: number
}

/** The zone options with every default in its place. */
export interface ResolvedZoneOptions {
  readonly name: string | undefined
  readonly prefer: ZonePreference | undefined
  readonly callers: string | ReadonlyMap<string, number> | undefined
  readonly minEndpoints: number
}

const callers: Option<string | ReadonlyMap<string, number> | undefined> = (value, place) => {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw place.unexpected('the name of a service, or an object of zones and numbers', value)
  }
  const counts = new Map<string, number>()
  for (const [zone, count] of Object.entries(value)) {
    if (typeof count !== 'number' || !Number.isFinite(count) || count < 0) {
      throw place.at(zone).unexpected('a number from 0', count)
    }
    counts.set(zone, count)
  }
  return counts
}

const ZONE = {
  name: text(undefined),
  prefer: oneOf(ZONE_PREFERENCES, undefined),
  callers,
  minEndpoints: whole(1, 1, 100_000),
} satisfies OptionTable<ZoneOptions>

export const zone: Option<ResolvedZoneOptions> = (value, place) =>
  readOptions(place, typeof value === 'string' ? { name: text(undefined)(value, place) } : Object(value ?? {}), ZONE)

/** Puts the zone of the environment in place when none is given. @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function withEnvironmentZone(
  options: ResolvedZoneOptions,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedZoneOptions {
  const name = env['LANEWAY_ZONE']?.trim()
  if (options.name !== undefined || name === undefined || name === '') return options
  return { ...options, name: text(undefined)(name, new OptionPlace('LANEWAY_ZONE')) }
}
