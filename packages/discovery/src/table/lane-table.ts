import { BASE_TAG, type Lane } from '@laneway/core'
import type { ZoneRouting } from '../zone/zone-routing.js'
import type { Choice } from './choice.js'
import type { Group } from './group.js'
import type { ServicePolicies } from './lane-policy.js'
import type { Member } from './member.js'
import { TableChoice } from './seat.js'

/** What a table is made of. */
export interface LaneTableParts {
  readonly service: string
  readonly members: readonly Member[]
  /** Every port that a member has. */
  readonly ports: ReadonlySet<number>
  readonly base: Group
  /** By tag; for a lane of one tag that is its header. */
  readonly lanes: ReadonlyMap<string, Group>
  /** Every endpoint, for `baseEmpty: 'any'`; only when base has none. */
  readonly any: Group | undefined
  readonly policies: ServicePolicies
  /** Counts uses of `any`, from table to table. */
  readonly anyUses: { count: number }
}

/**
 * The index of one snapshot: lane -> picker. A pick is one look-up and one draw; what a service does not have costs a
 * look-up per tag of the request. Lanes are compared by header, never by identity, and none is remembered, so nothing
 * here grows with what the network sends.
 */
export class LaneTable {
  readonly service: string
  readonly members: readonly Member[]
  readonly base: Group
  readonly lanes: ReadonlyMap<string, Group>
  readonly any: Group | undefined
  readonly policies: ServicePolicies
  readonly ports: ReadonlySet<number>
  readonly #anyUses: { count: number }
  readonly #laneRequired: Choice
  readonly #noBase: Choice
  readonly #overloaded: Choice
  /** The lane of the pick before that the service has, by its header, and its group: most picks in a row are of one lane. */
  #lastHeader: string | undefined
  #lastGroup: Group | undefined

  constructor(parts: LaneTableParts) {
    this.service = parts.service
    this.members = parts.members
    this.base = parts.base
    this.lanes = parts.lanes
    this.any = parts.any
    this.policies = parts.policies
    this.#anyUses = parts.anyUses
    this.ports = parts.ports
    this.#laneRequired = new TableChoice(parts.service, undefined, 'lane-required', undefined, undefined)
    this.#noBase = new TableChoice(parts.service, undefined, 'no-base', undefined, undefined)
    this.#overloaded = new TableChoice(parts.service, undefined, 'overloaded', undefined, undefined)
  }

  /** Chooses. Never throws, allocates nothing. */
  pick(lane: Lane | undefined, tried: ReadonlySet<string> | undefined): Choice {
    if (lane === undefined) return this.#pickBase(tried)
    // Lanes of one tag that the service has: all but few requests.
    const { header } = lane
    const group = header === this.#lastHeader ? this.#lastGroup : this.#groupOf(header)
    if (group !== undefined) {
      const choice = group.serve(tried)
      if (choice !== undefined) return choice
    }
    return this.#walk(lane.tags, tried)
  }

  #groupOf(header: string): Group | undefined {
    const group = this.lanes.get(header)
    if (group !== undefined) {
      this.#lastHeader = header
      this.#lastGroup = group
    }
    return group
  }

  #walk(tags: readonly string[], tried: ReadonlySet<string> | undefined): Choice {
    let members = false
    let end = 0
    for (; end < tags.length; end++) {
      const tag = tags[end]!
      if (tag === BASE_TAG) break
      const group = this.lanes.get(tag)
      if (group === undefined) continue
      members = true
      const choice = group.serve(tried)
      if (choice !== undefined) return choice
      // Load is no reason to leave the lane.
      if (group.isFull(tried)) return this.#overloaded
    }
    if (end === 0) return this.#pickBase(tried)
    const policy = this.policies.of(tags[0]!)
    const action = members ? policy.whenLaneUnavailable : policy.whenLaneMissing
    if (action === 'fail') return this.#laneRequired
    if (action === 'panic') {
      for (let i = 0; i < end; i++) {
        const group = this.lanes.get(tags[i]!)
        if (group !== undefined && group.enabled > 0) return group.pickAnyhow(tried)?.panic ?? this.#overloaded
      }
    }
    const seat = this.base.pick(tried)
    if (seat === undefined) return this.#pickLast(this.base, tried) ?? this.#noBase
    if (this.base.panics) return seat.panic
    return members ? seat.unavailable : seat.missing
  }

  #pickBase(tried: ReadonlySet<string> | undefined): Choice {
    const choice = this.base.serve(tried)
    if (choice !== undefined) return choice
    const last = this.#pickLast(this.base, tried)
    if (last !== undefined) return last
    if (this.any === undefined) return this.#noBase
    const guest = this.any.pick(tried)?.panic ?? this.#pickLast(this.any, tried)
    if (guest === undefined) return this.#noBase
    if (guest.endpoint !== undefined) this.#anyUses.count++
    return guest
  }

  /** No usable endpoint is left: those that could serve are full, or another enabled one serves. */
  #pickLast(group: Group, tried: ReadonlySet<string> | undefined): Choice | undefined {
    if (group.enabled === 0) return undefined
    if (group.isFull(tried)) return this.#overloaded
    return group.pickAnyhow(tried)?.panic ?? this.#overloaded
  }

  /** The own zone, or where the callers are, has changed. */
  reroute(zones: ZoneRouting | undefined): void {
    this.base.reroute(zones)
    this.any?.reroute(zones)
    for (const group of this.lanes.values()) group.reroute(zones)
  }

  /** The groups a member sits in. */
  groupsOf(member: Member): Group[] {
    const groups = member.seats.map(seat => (seat.tag === undefined ? this.base : this.lanes.get(seat.tag)!))
    if (this.any !== undefined && member.seats[0]!.tag !== undefined) groups.push(this.any)
    return groups
  }
}
