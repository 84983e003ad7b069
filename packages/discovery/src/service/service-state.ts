import type { Group } from '../table/group.js'
import type { ServiceEntry, ServiceStatus } from './service-entry.js'

/** Dropped endpoints that a state lists. */
const MOST_DROPPED = 100

/** How many endpoints base, or one lane, has. */
export interface LaneCount {
  readonly endpoints: number
  readonly usable: number
  readonly ejected: number
}

/** What a resolver knows about a service, as plain data. */
export interface ServiceState {
  readonly service: string
  /** Declared by the user, as opposed to listed by a source. */
  readonly declared: boolean
  /**
   * - `waiting`: no source has said anything
   * - `current`: the last snapshot is in use
   * - `stale`: it is in use, and the registry is lost or talked nonsense since
   * - `missing`: the registry says there is no such service
   */
  readonly status: ServiceStatus
  /** Name of the source that owns the service. */
  readonly source: string | undefined
  /** Milliseconds since the last good answer of the registry, `undefined` before the first. */
  readonly ageMs: number | undefined
  /** Why the service is stale, or still waited for. */
  readonly error: string | undefined
  readonly base: LaneCount
  /** By tag. `JSON.stringify` writes it as an object. */
  readonly lanes: ReadonlyMap<string, LaneCount>
  /** Why endpoints of the last snapshot were left out, at most 100. */
  readonly dropped: readonly string[]
  /** Requests without lane that were sent to a lane endpoint, because `baseEmpty` is `any`. */
  readonly baseEmptyUses: number
}

/** @param now - on the resolver's clock */
export function describeService(entry: ServiceEntry, now: number): ServiceState {
  const { table, receivedAt } = entry
  const lanes = new LaneCounts()
  for (const [tag, group] of table?.lanes ?? []) lanes.set(tag, count(group))
  return {
    service: entry.name,
    declared: entry.declared,
    status: entry.status,
    source: entry.source,
    ageMs: receivedAt === undefined ? undefined : Math.max(0, now - receivedAt),
    error: entry.error?.message,
    base: table === undefined ? { endpoints: 0, usable: 0, ejected: 0 } : count(table.base),
    lanes,
    dropped: entry.dropped.slice(0, MOST_DROPPED),
    baseEmptyUses: entry.baseEmptyUses,
  }
}

/** As JSON, an object of lanes; a Map would be `{}`. */
class LaneCounts extends Map<string, LaneCount> {
  toJSON(): Record<string, LaneCount> {
    return Object.fromEntries(this)
  }
}

function count(group: Group): LaneCount {
  let usable = 0
  for (const seat of group.seats) if (seat.fit && !seat.load.ejected) usable++
  return { endpoints: group.seats.length, usable, ejected: group.ejected }
}
