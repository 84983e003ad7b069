import type { EndpointInput } from '../endpoint/endpoint.js'
import { formatAddress } from '../endpoint/endpoint-host.js'
import { lastingOf } from '../endpoint/lasting-endpoint.js'
import { isUnchanged, type ParseEndpointOptions, parseEndpoint } from '../endpoint/parse-endpoint.js'
import type { ZoneRouting } from '../zone/zone-routing.js'
import { EndpointLoad, type LoadSettings } from './endpoint-load.js'
import { Group, type GroupSettings } from './group.js'
import type { ServicePolicies } from './lane-policy.js'
import { LaneTable } from './lane-table.js'
import { Member } from './member.js'
import type { Seat } from './seat.js'

/** Most endpoints of one service; a snapshot with more is refused. */
export const MAX_ENDPOINTS = 100_000
/** Most lanes of one service. */
export const MAX_LANES = 64

/** What stays the same from one table of a service to the next. */
export interface TableSettings {
  readonly service: string
  readonly policies: ServicePolicies
  readonly baseEmpty: 'fail' | 'any'
  readonly allowLinkLocal: boolean
  readonly anyUses: { count: number }
}

/** What the entry of the service adds to these. */
export interface BuildParts {
  readonly groups: GroupSettings
  readonly loads: LoadSettings
  /** What zones mean for a service of these members. */
  readonly zonesFor: (members: readonly Member[]) => ZoneRouting | undefined
}

let builds = 0

/**
 * Turns a snapshot into a table, as many endpoints at a time as the caller likes. Endpoints that are as they were keep
 * their members and choices, so that a push which changes one of many costs little; loads are kept by address.
 */
export class TableBuild {
  readonly dropped: string[] = []
  readonly #id = ++builds
  readonly #settings: TableSettings
  readonly #parsing: ParseEndpointOptions
  /** The snapshot. */
  readonly inputs: readonly EndpointInput[]
  /** Members of the previous table, by address and by position. */
  readonly #known: ReadonlyMap<string, Member>
  readonly #before: readonly Member[]
  readonly #loads: ReadonlyMap<string, EndpointLoad>
  readonly #parts: BuildParts
  /** The service has had a table before, so that an endpoint that was not in it is new. */
  readonly #follows: boolean
  readonly #members: Member[] = []
  readonly #fresh = new Map<string, Member>()
  readonly #groups = new Map<string, Seat[]>()
  readonly #baseSeats: Seat[] = []
  readonly #ports = new Set<number>()
  #tooManyLanes = false
  #at = 0
  /** How much further on in the previous table the same endpoints stand. */
  #shift = 0

  constructor(
    settings: TableSettings,
    inputs: readonly EndpointInput[],
    before: readonly Member[],
    known: ReadonlyMap<string, Member>,
    loads: ReadonlyMap<string, EndpointLoad>,
    parts: BuildParts,
    follows: boolean,
  ) {
    this.#settings = settings
    this.#parsing = { allowLinkLocal: settings.allowLinkLocal, refused: problem => this.dropped.push(problem) }
    this.inputs = inputs
    this.#before = before
    this.#known = known
    this.#loads = loads
    this.#parts = parts
    this.#follows = follows
  }

  /** Reads up to `count` further endpoints, of which up to `checked` are new or changed. @returns whether all are read */
  read(count: number, checked: number): boolean {
    const end = Math.min(this.inputs.length, this.#at + count)
    for (let left = checked; this.#at < end && left > 0; this.#at++) {
      const input = this.inputs[this.#at]
      const same = this.#sameAs(input)
      if (same !== undefined) this.#keep(same)
      else {
        this.#parse(input)
        left--
      }
    }
    return this.#at === this.inputs.length
  }

  /**
   * The member that stays as it is: behind the one before it in the previous table, else by its address. To read an endpoint
   * anew takes 30 times as long as to compare it (benchmark case discovery/rebuild).
   */
  #sameAs(input: unknown): Member | undefined {
    const next = this.#before[this.#at + this.#shift]
    if (this.#isAgain(next, input)) return next
    const { host, port } = Object(input) as { host?: unknown; port?: unknown }
    if (typeof host !== 'string' || typeof port !== 'number') return undefined
    const member = this.#known.get(formatAddress(host, port))
    if (!this.#isAgain(member, input)) return undefined
    this.#shift = member.place - this.#at
    return member
  }

  #isAgain(member: Member | undefined, input: unknown): member is Member {
    if (member === undefined || member.seenBy === this.#id) return false
    if (member.input === undefined) return isUnchanged(member.endpoint, input)
    if (member.input === input) return true
    if (!isUnchanged(member.endpoint, input)) return false
    member.input = lastingOf(input)
    return true
  }

  #parse(input: unknown): void {
    const endpoint = parseEndpoint(input, this.#parsing)
    if (endpoint === undefined) return
    const known = this.#known.get(endpoint.address)
    if (known?.seenBy === this.#id || this.#fresh.has(endpoint.address)) {
      this.dropped.push(`${endpoint.address} is listed twice, the first entry counts`)
      return
    }
    if (known !== undefined && isUnchanged(known.endpoint, endpoint)) {
      this.#keep(known)
      return
    }
    if (known !== undefined) known.seenBy = this.#id
    const load = this.#loads.get(endpoint.address) ?? new EndpointLoad(endpoint.address, this.#parts.loads)
    // Back after an absence, or declared healthy again: the registry knows better than old connect errors.
    const recovered = known?.endpoint.health === 'unhealthy' && endpoint.health === 'healthy'
    if (known === undefined || recovered) load.forgive()
    const member = new Member(this.#settings.service, endpoint, load, lastingOf(input))
    const { warmUp } = this.#parts.groups
    if (known === undefined) warmUp?.began(load, endpoint, this.#follows ? 'new' : 'first')
    else if (!known.seats[0]!.fit && member.seats[0]!.fit) warmUp?.began(load, endpoint, 'returned')
    this.#fresh.set(endpoint.address, member)
    this.#add(member)
  }

  #keep(member: Member): void {
    member.seenBy = this.#id
    this.#add(member)
  }

  #add(member: Member): void {
    member.place = this.#members.push(member) - 1
    this.#ports.add(member.endpoint.port)
    for (const seat of member.seats) this.#seatsOf(seat.tag).push(seat)
  }

  #seatsOf(tag: string | undefined): Seat[] {
    if (tag === undefined) return this.#baseSeats
    const seats = this.#groups.get(tag)
    if (seats !== undefined) return seats
    const first: Seat[] = []
    if (this.#groups.size === MAX_LANES) this.#tooManyLanes = true
    else this.#groups.set(tag, first)
    return first
  }

  /** Makes the table of what was read. @returns `undefined` when there are more lanes than a service may have */
  finish(): LaneTable | undefined {
    if (this.#tooManyLanes) return undefined
    const { service, policies, baseEmpty, anyUses } = this.#settings
    const { groups, zonesFor } = this.#parts
    const zones = zonesFor(this.#members)
    const lanes = new Map<string, Group>()
    for (const [tag, seats] of this.#groups) lanes.set(tag, new Group(tag, seats, groups, zones))
    const base = new Group(undefined, this.#baseSeats, groups, zones)
    const anySeats = baseEmpty === 'any' && base.seats.length === 0 ? this.#members.map(member => member.seats[0]!) : []
    const any = anySeats.length === 0 ? undefined : new Group(undefined, anySeats, groups, zones)
    return new LaneTable({
      service,
      members: this.#members,
      ports: this.#ports,
      base,
      lanes,
      any,
      policies,
      anyUses,
    })
  }

  /** The members that the previous table did not have in this form. */
  get fresh(): Iterable<Member> {
    return this.#fresh.values()
  }

  /** Whether a member of the previous table is in the new one, by address. */
  has(member: Member): boolean {
    return member.seenBy === this.#id
  }
}
