import type { Clock } from '../clock.js'
import { ClockTimer } from '../clock-timer.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointLoad } from '../table/endpoint-load.js'

/** How the weight of a new endpoint grows. */
export interface WarmUpOptions {
  readonly slowStartMs: number
  readonly slowStartAggression: number
  readonly slowStartMinShare: number
}

/** Endpoints whose weights can be computed anew. */
export interface WeightedGroup {
  reweigh(): void
}

/** Steps in which weights grow, and the shortest and the longest of them in milliseconds. */
const STEPS = 50
const SHORTEST_STEP_MS = 100
const LONGEST_STEP_MS = 5_000

/**
 * The endpoints of one service that are warming up. While there are some, a timer lets their groups compute the weights
 * anew; a pick has nothing to do with it.
 */
export class WarmUp {
  #options: WarmUpOptions
  readonly #clock: Clock
  readonly #groupsOf: (load: EndpointLoad) => readonly WeightedGroup[]
  readonly #warming = new Set<EndpointLoad>()
  readonly timer: ClockTimer

  /** @param groupsOf - where an endpoint sits in the table in use; empty when it has left */
  constructor(options: WarmUpOptions, clock: Clock, groupsOf: (load: EndpointLoad) => readonly WeightedGroup[]) {
    this.#options = options
    this.#clock = clock
    this.#groupsOf = groupsOf
    this.timer = new ClockTimer(clock, () => this.#step())
  }

  /**
   * An endpoint has come into service.
   *
   * @param how - `returned`: it was out of service, and may have been restarted; `new`: the table before did not have it;
   * `first`: there was no table before. Endpoints of the first table may have been there for long, so only their time of
   * registration says that they are new.
   */
  began(load: EndpointLoad, { registeredAt }: Endpoint, how: 'returned' | 'new' | 'first'): void {
    const { slowStartMs } = this.#options
    let age = how === 'first' ? slowStartMs : 0
    if (how !== 'returned' && registeredAt !== undefined) {
      // The clocks of two machines may differ, so a registration may seem to lie in the future.
      age = Math.min(Math.max(0, Date.now() - registeredAt), slowStartMs)
    }
    load.warming = age < slowStartMs
    load.warmingSince = load.warming ? this.#clock.now() - age : 0
    if (load.warming) this.#warming.add(load)
  }

  /** Endpoints that are warming up go on by the new curve; those that are warm stay warm. */
  update(options: WarmUpOptions): void {
    this.#options = options
  }

  /** The share of its weight that an endpoint has now: above 0, and 1 when it is warm. */
  shareOf(load: EndpointLoad): number {
    if (!load.warming) return 1
    const { slowStartMs, slowStartAggression, slowStartMinShare } = this.#options
    const passed = (this.#clock.now() - load.warmingSince) / slowStartMs
    if (passed >= 1) return 1
    return Math.max(slowStartMinShare, Math.max(0, passed) ** (1 / slowStartAggression))
  }

  /** A new table is in use. */
  tableChanged(): void {
    for (const load of this.#warming) if (this.#groupsOf(load).length === 0) this.#warming.delete(load)
    // Pushes that come faster than the steps must not put the next step off for ever.
    if (this.#warming.size === 0 || !this.timer.waits) this.#plan()
  }

  close(): void {
    this.#warming.clear()
    this.#plan()
  }

  #step(): void {
    const groups = new Set<WeightedGroup>()
    for (const load of this.#warming) {
      for (const group of this.#groupsOf(load)) groups.add(group)
      if (this.shareOf(load) < 1) continue
      load.warming = false
      this.#warming.delete(load)
    }
    for (const group of groups) group.reweigh()
    this.#plan()
  }

  #plan(): void {
    const step = Math.min(LONGEST_STEP_MS, Math.max(SHORTEST_STEP_MS, this.#options.slowStartMs / STEPS))
    this.timer.plan(this.#warming.size === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + step)
  }
}
