import type { Random } from '../balancer/random.js'
import type { ResolvedLaneResolverOptions } from '../resolver-options.js'
import { compilePolicies, type ServicePolicies } from '../table/lane-policy.js'
import type { CallerZones } from '../zone/caller-zones.js'
import { ZonePlan } from '../zone/zone-plan.js'
import type { EntrySettings } from './service-entry.js'

/** Where the settings of entries come from. */
export interface SettingsParts extends Pick<EntrySettings, 'clock' | 'turns' | 'gone' | 'changed'> {
  readonly random: Random
  /** Brings service names into the form in which they are equal. */
  readonly keyOf: (service: string) => string
}

/**
 * The settings of each entry, by its key and name, as the options of the resolver have them.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for policies that contradict each other
 */
export function entrySettings(
  options: ResolvedLaneResolverOptions,
  callers: CallerZones,
  { random, keyOf, clock, turns, gone, changed }: SettingsParts,
): (key: string, service: string) => EntrySettings {
  const policiesOf: (key: string) => ServicePolicies = compilePolicies(options.policies, options, keyOf)
  const { balance, baseEmpty, allowLinkLocal, warn } = options
  const zones = new ZonePlan(options.zone, () => callers.weights)
  const shared = { ...balance, clock, turns, gone, changed, zones, random, warn, baseEmpty, allowLinkLocal }
  return (key, service) => ({ ...shared, service, policies: policiesOf(key), anyUses: { count: 0 } })
}

/** The services that the options name: the own one that says where callers are, those of the user, and the aliased ones. */
export function declaredBy({ zone, services, aliases }: ResolvedLaneResolverOptions): string[] {
  const calling = typeof zone.callers === 'string' ? [zone.callers] : []
  return [...calling, ...services, ...aliases.values()]
}
