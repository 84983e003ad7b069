import type { Source } from '../source/source.js'
import type { Member } from '../table/member.js'
import type { ResolvedZoneOptions } from './zone-options.js'
import type { ZoneRouting } from './zone-routing.js'
import type { ZoneWeights } from './zone-shares.js'

/** What the resolver knows about zones: the own one, and where the callers of its services are. */
export class ZonePlan {
  readonly #options: ResolvedZoneOptions
  readonly #callers: () => ZoneWeights | undefined

  /** @param callers - of the instances of the own service; `undefined` while they are not known */
  constructor(options: ResolvedZoneOptions, callers: () => ZoneWeights | undefined) {
    this.#options = options
    this.#callers = callers
  }

  /**
   * What zones mean for the endpoints of a service.
   *
   * @param source - that owns the service
   * @returns `undefined` where they mean nothing
   */
  routing(source: Source | undefined, members: readonly Member[]): ZoneRouting | undefined {
    const { name, minEndpoints } = this.#options
    const known = name === undefined ? source?.zone?.() : undefined
    const own = name ?? known?.name
    const prefer = this.#options.prefer ?? known?.prefer ?? 'capacity'
    if (own === undefined || prefer === 'never') return undefined
    const zones = new Map<string | undefined, number>()
    for (const { endpoint } of members) if (endpoint.zone !== undefined) zones.set(endpoint.zone, 1)
    if (zones.size === 0 && prefer !== 'hints') return undefined
    zones.set(own, 1)
    return { own, prefer, callers: this.#callers() ?? zones, minEndpoints }
  }
}

/** How many instances of a service call from each zone, by weight, those out of service left out. */
export function callersIn(members: readonly Member[]): ZoneWeights | undefined {
  const callers = new Map<string | undefined, number>()
  for (const { endpoint, seats } of members) {
    if (seats[0]!.fit) callers.set(endpoint.zone, (callers.get(endpoint.zone) ?? 0) + endpoint.weight)
  }
  return callers.size === 0 ? undefined : callers
}
