import type { Balancer, BalancerName } from '../balancer/balancer.js'
import { createPicker } from '../balancer/create-picker.js'
import type { Picker } from '../balancer/picker.js'
import type { Random } from '../balancer/random.js'
import { seatWeights } from '../balancer/seat-weights.js'
import type { WarmUp } from '../load/warm-up.js'
import { routeByZone, type ZoneRoute, type ZoneRouting } from '../zone/zone-routing.js'
import type { Choice } from './choice.js'
import type { EndpointLoad } from './endpoint-load.js'
import type { Seat } from './seat.js'
import { type Subset, subsetOf } from './subset.js'

/** Ejections that a picker may hold before it is built anew: bounds the walk of a pick, and shares the cost. */
const MOST_STALE = 64

type Tried = ReadonlySet<string> | undefined

/** What the groups of a service have in common. */
export interface GroupSettings {
  readonly balancer: BalancerName | Balancer
  readonly random: Random
  /** Below this share of usable endpoints, and above none, health is ignored. 0: never. */
  readonly panicThreshold: number
  /** `undefined`: new endpoints get their whole weight at once. */
  readonly warmUp: WarmUp | undefined
  /** `undefined`: a process sends to all endpoints. */
  readonly subset: Subset | undefined
}

/** Counts of endpoints. */
export interface Census {
  /** Neither ejected nor on trial. */
  readonly serving: number
  /** Of these, those that would be ejected if they could. */
  readonly failing: number
  /** Ejected for timeouts or statuses, or on trial after it. */
  readonly heldBack: number
}

/**
 * The endpoints of base or of one lane, usable or not. Zones, warm-up and panic are part of the pickers, which are built when
 * something changes. So they cost a pick nothing, and none of them reaches beyond the group.
 */
export class Group {
  /** `undefined` = base. */
  readonly tag: string | undefined
  readonly seats: readonly Seat[]
  /** How many are enabled and of some weight. */
  readonly enabled: number
  /** How many of these are ejected. */
  ejected = 0
  /** So few endpoints are usable that every enabled one serves. */
  panics = false
  /** Which endpoints are preferred for their zone; `undefined` when none are. */
  route: ZoneRoute | undefined
  readonly #settings: GroupSettings
  readonly #limited: boolean
  #zones: ZoneRouting | undefined
  #usable = 0
  /** What serves almost always; `undefined` when no seat is usable, and in panic. */
  #first: Picker | undefined
  /** Over all usable seats: the same as `#first`, unless zones or a subset prefer some of them. */
  #all: Picker | undefined
  /** Where `#first` finds no seat, others may serve. */
  #hasSecond = false
  /** Over the enabled seats, for panic; the same object as long as every enabled seat is usable. */
  #anyhow: Picker | undefined

  constructor(
    tag: string | undefined,
    seats: readonly Seat[],
    settings: GroupSettings,
    zones: ZoneRouting | undefined,
  ) {
    this.tag = tag
    this.seats = seats
    this.#settings = settings
    this.#zones = zones
    this.#limited = seats.length > 0 && seats[0]!.load.limited
    let enabled = 0
    for (const seat of seats) if (seat.enabled) enabled++
    this.enabled = enabled
    this.reweigh()
  }

  /** The choice that serves those whom this group belongs to; `undefined` when no usable seat is left. */
  serve(tried: Tried): Choice | undefined {
    const choice = this.#first?.serve(tried)
    return choice !== undefined || !this.#hasSecond ? choice : this.#serveSecond(tried)
  }

  #serveSecond(tried: Tried): Choice | undefined {
    return this.panics ? this.#anyhow?.pickAnyhow(tried)?.panic : this.#all?.serve(tried)
  }

  /** A usable seat that was not tried; in panic, an enabled one. */
  pick(tried: Tried): Seat | undefined {
    if (this.panics) return this.#anyhow?.pickAnyhow(tried)
    const seat = this.#first?.pick(tried)
    return seat !== undefined || !this.#hasSecond ? seat : this.#all?.pick(tried)
  }

  /** Any enabled seat: ignores health and ejection, and `tried` when nothing else is left. `undefined` when all are full. */
  pickAnyhow(tried: Tried): Seat | undefined {
    return this.#anyhow?.pickAnyhow(tried) ?? this.#anyhow?.pickAnyhow(undefined)
  }

  /** Whether an endpoint that could serve has as many requests in flight as it may have. */
  isFull(tried: Tried): boolean {
    if (!this.#limited) return false
    const could = this.panics ? isEnabled : isUsable
    for (const seat of this.seats) {
      if (could(seat) && seat.load.full && tried?.has(seat.endpoint.address) !== true) return true
    }
    return false
  }

  /** Whether an endpoint other than this one takes any number of requests. Mostly one step. */
  hasUsableBeside(load: EndpointLoad): boolean {
    for (const seat of this.seats) if (isUsable(seat) && !seat.load.onTrial && seat.load !== load) return true
    return false
  }

  /**
   * How the endpoints fare that the registry has in service.
   *
   * @param besides - is left out
   */
  census(besides?: EndpointLoad): Census {
    let serving = 0
    let failing = 0
    let heldBack = 0
    for (const { fit, load } of this.seats) {
      if (!fit || load === besides) continue
      if (load.ejected || load.onTrial) heldBack += load.ejectedSoftly ? 1 : 0
      else {
        serving++
        if (load.failing) failing++
      }
    }
    return { serving, failing, heldBack }
  }

  /** An endpoint of this group was ejected. */
  seatEjected(seat: Seat): void {
    if (seat.enabled) this.ejected++
    if (this.#all === undefined || !seat.fit) return
    this.#usable--
    const barred = this.#bar(1)
    if (barred > Math.min(MOST_STALE, this.#all.seats.length >> 5)) this.#rebuild()
    else this.#settle()
  }

  /** Ejected seats have come back. */
  seatsReturned(): void {
    this.#rebuild()
  }

  /** The trial of a seat is over, with whatever result. */
  trialEnded(seat: Seat): void {
    if (seat.fit) this.#bar(-1)
  }

  /** Weights have changed. */
  reweigh(): void {
    this.#anyhow = undefined
    this.#rebuild()
  }

  /** The own zone, or where the callers are, has changed. */
  reroute(zones: ZoneRouting | undefined): void {
    this.#zones = zones
    this.#rebuild()
  }

  #rebuild(): void {
    this.ejected = 0
    for (const seat of this.seats) if (seat.enabled && seat.load.ejected) this.ejected++
    const usable = this.seats.filter(isUsable)
    this.#usable = usable.length
    if (usable.length === 0) {
      this.#all = undefined
      this.#first = undefined
      this.route = undefined
    } else {
      const weights = seatWeights(usable, this.#settings.warmUp)
      this.#all = this.#pickerOver(usable, weights)
      this.route = this.#zones && routeByZone(usable, weights, this.#zones)
      const { subset } = this.#settings
      const inZones = this.route ?? { seats: usable, weights }
      const first = subset === undefined ? inZones : subsetOf(inZones, subset)
      this.#first = first.seats === usable ? this.#all : this.#pickerOver(first.seats, first.weights)
      let onTrial = 0
      for (const seat of usable) if (seat.load.onTrial) onTrial++
      this.#bar(onTrial)
    }
    this.#settle()
    if (this.#anyhow !== undefined || this.enabled === 0) return
    if (this.#usable === this.enabled) this.#anyhow = this.#all
    else {
      const enabled = this.seats.filter(isEnabled)
      this.#anyhow = this.#pickerOver(enabled, seatWeights(enabled, this.#settings.warmUp))
    }
  }

  /** Begins or ends panic. */
  #settle(): void {
    this.panics = this.#usable > 0 && this.#usable < this.#settings.panicThreshold * this.enabled
    this.#hasSecond = this.panics || this.#first !== this.#all
    if (this.panics) this.#first = undefined
  }

  /** Both pickers count alike, whichever seats they hold, so that the end of a trial leaves neither with a wrong count. */
  #bar(seats: number): number {
    const all = this.#all
    if (all === undefined) return 0
    all.barred += seats
    if (this.#first !== undefined && this.#first !== all) this.#first.barred += seats
    return all.barred
  }

  #pickerOver(seats: readonly Seat[], weights: Float64Array): Picker {
    return createPicker(this.#settings.balancer, seats, weights, this.#settings.random)
  }
}

function isEnabled(seat: Seat): boolean {
  return seat.enabled
}

function isUsable(seat: Seat): boolean {
  return seat.fit && !seat.load.ejected
}
