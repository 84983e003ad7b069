import { channels, type Lane, type SourceEvent, type Warn } from '@laneway/core'
import type { Endpoint, EndpointInput } from '../endpoint/endpoint.js'
import { findNearMiss } from '../endpoint/near-miss.js'
import { type BalancedService, type BalanceSettings, ServiceBalance } from '../load/service-balance.js'
import type { Source } from '../source/source.js'
import type { Choice } from '../table/choice.js'
import type { EndpointLoad } from '../table/endpoint-load.js'
import type { LaneTable } from '../table/lane-table.js'
import type { Member } from '../table/member.js'
import { TableChoice } from '../table/seat.js'
import { MAX_ENDPOINTS, MAX_LANES, TableBuild, type TableSettings } from '../table/table-build.js'
import type { BuildTurns } from './build-turns.js'

/**
 * A snapshot of more endpoints is taken over in turns of the event loop of its own, between which other work runs. In
 * one turn so many new or changed endpoints are checked, 5 to 10 µs each, and so many in all, of which those that are
 * as before are only compared (benchmark case discovery/rebuild).
 */
const AT_ONCE = 128
const CHECKED_PER_TURN = 128
const READ_PER_TURN = 5_000
/** Dropped endpoints that have an event each, per snapshot. */
const MOST_DROPPED_EVENTS = 100
const NO_MEMBERS: readonly Member[] = []

/** What an entry needs of its resolver. */
export interface EntrySettings extends TableSettings, BalanceSettings {
  readonly warn: Warn
  readonly turns: BuildTurns
  /** Called with endpoints that left. */
  readonly gone: (endpoints: readonly Endpoint[]) => void
  /** Called after each report of the source that owns the service. */
  readonly changed: (entry: ServiceEntry) => void
}

/** What the registry last said about a service. */
export type ServiceStatus = 'waiting' | 'current' | 'stale' | 'missing'

/** One service: the table in use, and what is known beyond snapshots. */
export class ServiceEntry implements BalancedService {
  readonly name: string
  readonly key: string
  declared: boolean
  /** Only a host name asked for the service: it is not declared, and no source lists it. */
  asked = false
  /** Calls wait for the first answer of the sources. Of a declared service, `readyTimeoutMs` decides instead. */
  awaited = false
  /** The service has had endpoints. */
  found = false
  table: LaneTable | undefined
  status: ServiceStatus = 'waiting'
  /** The source that owns the service. */
  owner: Source | undefined
  error: Error | undefined
  /** On the resolver's clock. */
  receivedAt: number | undefined
  /** Since when the registry has been saying that there is no such service, on the resolver's clock. */
  missingSince: number | undefined
  dropped: readonly string[] = []
  #settings: EntrySettings
  readonly #balance: ServiceBalance
  readonly #members = new Map<string, Member>()
  readonly #loads = new Map<string, EndpointLoad>()
  /** Loads of vanished endpoints that still have requests in flight. */
  readonly #departed = new Map<string, EndpointLoad>()
  readonly #notReady: Choice
  /** The clock has no timers, so each pick lets happen what is due. */
  readonly #polls: boolean
  #build: TableBuild | undefined
  /** There has been a table. */
  #tabled = false
  #warnedDropped = false
  #warnedAny = false
  #warnedNearMiss = false

  constructor(key: string, declared: boolean, settings: EntrySettings) {
    this.name = settings.service
    this.key = key
    this.declared = declared
    this.#settings = settings
    this.#notReady = new TableChoice(this.name, undefined, 'not-ready', undefined, undefined)
    this.#polls = settings.clock.injected
    this.#balance = new ServiceBalance(settings, this, (state, address) => {
      this.publish(state, { message: address })
      if (state === 'ejected') this.owner?.suspect?.(this.name)
    })
  }

  /** Name of the source that owns the service. */
  get source(): string | undefined {
    return this.owner?.name
  }

  /** The endpoint of the table in use that has an address. */
  memberOf(address: string): Member | undefined {
    return this.#members.get(address)
  }

  /** Works by other settings from now on: the table in use is built anew of the same endpoints. */
  update(settings: EntrySettings): void {
    this.#settings = { ...settings, anyUses: this.#settings.anyUses }
    this.#balance.update(this.#settings, this.#loads.values())
    const { table } = this
    if (table !== undefined) {
      const endpoints = table.members.map(member => member.endpoint as EndpointInput)
      const build = this.#buildOf(endpoints)
      build.read(endpoints.length, endpoints.length)
      this.table = build.finish()!
      this.#balance.tableChanged()
      if (this.table.any !== undefined) this.#warnAny()
    }
    // A large snapshot that is being taken over begins again, by the new settings.
    if (this.#build !== undefined) this.apply(this.#build.inputs)
  }

  #buildOf(inputs: readonly EndpointInput[]): TableBuild {
    const before = this.table?.members ?? NO_MEMBERS
    const { parts } = this.#balance
    return new TableBuild(this.#settings, inputs, before, this.#members, this.#loads, parts, this.#tabled)
  }

  /** Where the callers of services are has changed. */
  callersChanged(): void {
    this.#balance.callersChanged()
  }

  pick(lane: Lane | undefined, tried: ReadonlySet<string> | undefined): Choice {
    const { table } = this
    if (table === undefined) return this.#notReady
    if (this.#polls) this.#balance.check()
    return table.pick(lane, tried)
  }

  /** Somebody needs the service although no source lists it. */
  get wanted(): boolean {
    return this.declared || this.asked
  }

  get baseEmptyUses(): number {
    return this.#settings.anyUses.count
  }

  /** Takes over a snapshot, at once or, when it is large, in several turns of the event loop. */
  apply(inputs: readonly EndpointInput[]): void {
    if (!Array.isArray(inputs)) {
      this.stale(new TypeError('a snapshot is a list of endpoints'))
      return
    }
    if (inputs.length > MAX_ENDPOINTS) {
      this.#refuse(`${inputs.length} endpoints are more than the ${MAX_ENDPOINTS} of one service`)
      return
    }
    const build = this.#buildOf(inputs)
    this.#build = build
    const { turns } = this.#settings
    if (inputs.length > AT_ONCE) turns.later(undefined, () => this.#readTurn(build))
    else turns.run(inputs.length, () => this.#readAtOnce(build))
  }

  #readAtOnce(build: TableBuild): void {
    if (this.#build !== build) return
    build.read(AT_ONCE, AT_ONCE)
    this.#commit(build)
  }

  #readTurn(build: TableBuild): void {
    // A newer snapshot, `missing` or `close` has taken its place.
    if (this.#build !== build) return
    const done = build.read(READ_PER_TURN, CHECKED_PER_TURN)
    this.#settings.turns.later(undefined, () => (done ? this.#commit(build) : this.#readTurn(build)))
  }

  #commit(build: TableBuild): void {
    if (this.#build !== build) return
    this.#build = undefined
    const table = build.finish()
    if (table === undefined) {
      this.#refuse(`more than ${MAX_LANES} lanes in one service`)
      return
    }
    const gone = this.#replaceMembers(build)
    this.table = table
    this.#tabled = true
    this.status = 'current'
    this.error = undefined
    this.receivedAt = this.#settings.clock.now()
    this.missingSince = undefined
    this.#balance.tableChanged()
    this.#reportDropped(build.dropped)
    if (table.any !== undefined) this.#warnAny()
    this.#warnNearMiss(build.fresh)
    this.publish('snapshot', { endpoints: table.members.length })
    if (table.members.length > 0) this.found = true
    if (gone.length > 0) this.#settings.gone(gone)
    this.#settings.changed(this)
  }

  #replaceMembers(build: TableBuild): Endpoint[] {
    const gone: Endpoint[] = []
    for (const member of this.table?.members ?? NO_MEMBERS) {
      if (build.has(member)) continue
      gone.push(member.endpoint)
      this.#forget(member)
    }
    for (const member of build.fresh) {
      this.#members.set(member.endpoint.address, member)
      this.#loads.set(member.endpoint.address, member.load)
      this.#departed.delete(member.endpoint.address)
    }
    for (const [address, load] of this.#departed) {
      if (load.inFlight > 0) continue
      this.#departed.delete(address)
      this.#loads.delete(address)
    }
    return gone
  }

  #forget(member: Member): void {
    const { address } = member.endpoint
    this.#members.delete(address)
    if (member.load.inFlight === 0) this.#loads.delete(address)
    else this.#departed.set(address, member.load)
  }

  /** The registry says that there is no such service: its endpoints are gone. */
  missing(): void {
    this.#build = undefined
    const gone = (this.table?.members ?? NO_MEMBERS).map(member => member.endpoint)
    for (const member of this.table?.members ?? NO_MEMBERS) this.#forget(member)
    this.table = undefined
    this.status = 'missing'
    this.error = undefined
    this.receivedAt = this.#settings.clock.now()
    this.missingSince ??= this.receivedAt
    this.#balance.tableChanged()
    this.publish('missing', {})
    if (gone.length > 0) this.#settings.gone(gone)
    this.#settings.changed(this)
  }

  /** The registry is lost: what was known stays. */
  stale(error: Error): void {
    this.error = error
    if (this.status !== 'waiting') this.status = 'stale'
    this.publish('stale', { error, message: error.message })
    this.#settings.changed(this)
  }

  close(): void {
    this.#build = undefined
    this.#balance.close()
  }

  /** Tells subscribers of `laneway:source`; the event is built only for them. */
  publish(state: SourceEvent['state'], more: Pick<SourceEvent, 'endpoints' | 'message' | 'error'>): void {
    if (!channels.source.hasSubscribers) return
    const event: SourceEvent = { source: this.source ?? 'none', service: this.name, state, ...more }
    channels.source.publish(event)
  }

  #refuse(message: string): void {
    this.#build = undefined
    this.error = new RangeError(message)
    if (this.status !== 'waiting') this.status = 'stale'
    this.publish('refused', { error: this.error, message })
    this.#settings.changed(this)
    this.#settings.warn(`a snapshot of ${this.name} from ${this.source} was refused, the last one stays: ${message}`)
  }

  #reportDropped(dropped: readonly string[]): void {
    this.dropped = dropped
    if (dropped.length === 0) return
    if (channels.source.hasSubscribers) {
      for (const message of dropped.slice(0, MOST_DROPPED_EVENTS)) this.publish('endpoint-dropped', { message })
    }
    if (this.#warnedDropped) return
    this.#warnedDropped = true
    this.#settings.warn(`${dropped.length} endpoint(s) of ${this.name} from ${this.source} left out: ${dropped[0]}`, {
      kind: 'endpoints-dropped',
    })
  }

  #warnNearMiss(members: Iterable<Member>): void {
    if (this.#warnedNearMiss) return
    const found = findNearMiss(members)
    if (found === undefined) return
    this.#warnedNearMiss = true
    this.#settings.warn(
      `${found.address} of ${this.name} counts as base: its metadata has the key "${found.key}", which carries no lane; ` +
        `did you mean "${found.meant}"?`,
      { kind: 'metadata-key', key: found.key, meant: found.meant },
    )
  }

  #warnAny(): void {
    if (this.#warnedAny) return
    this.#warnedAny = true
    this.#settings.warn(
      `${this.name} has lane endpoints only, and baseEmpty is "any": requests without a lane go to its lane endpoints`,
    )
  }
}
