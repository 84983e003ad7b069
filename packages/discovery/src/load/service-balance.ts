import type { Balancer, BalancerName } from '../balancer/balancer.js'
import type { Random } from '../balancer/random.js'
import type { Clock } from '../clock.js'
import type { Source } from '../source/source.js'
import type { EndpointLoad } from '../table/endpoint-load.js'
import type { Group } from '../table/group.js'
import type { LaneTable } from '../table/lane-table.js'
import type { Member } from '../table/member.js'
import { type EjectionListener, OutlierEjection } from '../table/outlier-ejection.js'
import type { OutlierOptions } from '../table/outlier-options.js'
import type { BuildParts } from '../table/table-build.js'
import type { ZonePlan } from '../zone/zone-plan.js'
import { ReconnectBudget, type ReconnectBudgetOptions } from './reconnect-budget.js'
import { WarmUp, type WarmUpOptions } from './warm-up.js'

/** How requests are balanced among the endpoints of base or of one lane: the same for all services. */
export interface BalanceSettings {
  readonly clock: Clock
  readonly balancer: BalancerName | Balancer
  readonly random: Random
  readonly panicThreshold: number
  readonly outlier: Required<OutlierOptions> | undefined
  /** `undefined`: no warm-up. */
  readonly warmUp: WarmUpOptions | undefined
  readonly maxInFlight: number | undefined
  /** `undefined`: each process sends to all endpoints. */
  readonly subsetSize: number | undefined
  readonly reconnectBudget: Required<ReconnectBudgetOptions> | undefined
  readonly zones: ZonePlan
}

/** What the balance needs of its service. */
export interface BalancedService {
  /** The table in use. */
  readonly table: LaneTable | undefined
  /** The source that owns the service. */
  readonly owner: Source | undefined
  /** The endpoint in the table that has an address. */
  memberOf(address: string): Member | undefined
}

const NO_GROUPS: readonly Group[] = []

/** What balances the requests to one service beyond its snapshots: ejection, warm-up, zones and limits. */
export class ServiceBalance {
  parts: BuildParts
  #settings: BalanceSettings
  readonly #service: BalancedService
  readonly #listener: EjectionListener
  readonly #budget: ReconnectBudget | undefined
  /** The same for as long as the service is known, so that its subset stays. */
  #seed: number | undefined
  #outlier: OutlierEjection | undefined
  #warmUp: WarmUp | undefined

  constructor(settings: BalanceSettings, service: BalancedService, listener: EjectionListener) {
    this.#settings = settings
    this.#service = service
    this.#listener = listener
    this.#budget = settings.reconnectBudget && new ReconnectBudget(settings.reconnectBudget, settings.clock)
    this.parts = this.#resolve(settings)
  }

  #resolve(settings: BalanceSettings): BuildParts {
    const { clock, balancer, random, panicThreshold, outlier, warmUp, maxInFlight, subsetSize } = settings
    if (subsetSize !== undefined) this.#seed ??= random.next()
    const subset = subsetSize === undefined ? undefined : { size: subsetSize, seed: this.#seed! }
    const service = this.#service
    this.#outlier =
      outlier &&
      (this.#outlier ??
        new OutlierEjection(
          outlier,
          clock,
          () => service.table,
          address => service.memberOf(address),
          this.#listener,
        ))
    this.#warmUp = warmUp && (this.#warmUp ?? new WarmUp(warmUp, clock, load => this.#groupsOf(load)))
    return {
      groups: { balancer, random, panicThreshold, warmUp: this.#warmUp, subset },
      loads: { maxInFlight, listener: this.#outlier, budget: this.#budget },
      zonesFor: members => settings.zones.routing(service.owner, members),
    }
  }

  /**
   * Balances by other settings from now on. The table has to be built anew after that.
   *
   * @param loads - of all endpoints that are known
   */
  update(settings: BalanceSettings, loads: Iterable<EndpointLoad>): void {
    const { outlier, warmUp } = settings
    const before = { outlier: this.#outlier, warmUp: this.#warmUp }
    this.#settings = settings
    this.parts = this.#resolve(settings)
    if (outlier === undefined) before.outlier?.close()
    else this.#outlier!.update(outlier)
    if (warmUp === undefined) before.warmUp?.close()
    else this.#warmUp!.update(warmUp)
    for (const load of loads) {
      load.update(this.parts.loads)
      if (outlier === undefined) load.forgive()
      if (warmUp === undefined) load.warming = false
    }
  }

  #groupsOf(load: EndpointLoad): readonly Group[] {
    const { table } = this.#service
    const member = this.#service.memberOf(load.address)
    return table === undefined || member?.load !== load ? NO_GROUPS : table.groupsOf(member)
  }

  /** Lets happen what is due, for clocks that have no timers. */
  check(): void {
    if (this.#outlier?.timer.polls) this.#outlier.timer.check()
    if (this.#warmUp?.timer.polls) this.#warmUp.timer.check()
  }

  /** A new table is in use. */
  tableChanged(): void {
    this.#outlier?.tableChanged()
    this.#warmUp?.tableChanged()
  }

  /** Where the callers are has changed. */
  callersChanged(): void {
    const { table, owner } = this.#service
    table?.reroute(this.#settings.zones.routing(owner, table.members))
  }

  close(): void {
    this.#outlier?.close()
    this.#warmUp?.close()
  }
}
