import type { Balancer, BalancerName } from '../balancer/balancer.js'
import { createPicker } from '../balancer/create-picker.js'
import type { Picker } from '../balancer/picker.js'
import type { Random } from '../balancer/random.js'
import type { Choice } from './choice.js'
import type { EndpointLoad } from './endpoint-load.js'
import type { Seat } from './seat.js'

/** Ejections that a picker may hold before it is built anew: bounds the walk of a pick, and shares the cost. */
const MOST_STALE = 64

/** The endpoints of base or of one lane, usable or not. */
export class Group {
  /** `undefined` = base. */
  readonly tag: string | undefined
  readonly seats: readonly Seat[]
  /** How many are enabled and of some weight. */
  readonly enabled: number
  /** How many of these are ejected. */
  ejected = 0
  readonly #balancer: BalancerName | Balancer
  readonly #random: Random
  /** Over the usable seats; `undefined` when there is none. */
  #usable: Picker | undefined
  /** Over the enabled seats, for panic; the same object as long as every enabled seat is usable. */
  readonly #anyhow: Picker | undefined

  constructor(tag: string | undefined, seats: readonly Seat[], balancer: BalancerName | Balancer, random: Random) {
    this.tag = tag
    this.seats = seats
    this.#balancer = balancer
    this.#random = random
    let enabled = 0
    let usable = 0
    for (const seat of seats) {
      if (!seat.enabled) continue
      enabled++
      if (seat.load.ejected) this.ejected++
      else if (seat.fit) usable++
    }
    this.enabled = enabled
    this.#usable = usable === 0 ? undefined : this.#pickerOver(isUsable)
    this.#anyhow = usable === enabled ? this.#usable : this.#pickerOver(isEnabled)
  }

  /** The choice for requests of this group; `undefined` when no usable seat is left. */
  serve(tried: ReadonlySet<string> | undefined): Choice | undefined {
    return this.#usable?.serve(tried)
  }

  /** A usable seat that was not tried. */
  pick(tried: ReadonlySet<string> | undefined): Seat | undefined {
    return this.#usable?.pick(tried)
  }

  /** Any enabled seat: ignores health and ejection, and `tried` when nothing else is left. */
  pickAnyhow(tried: ReadonlySet<string> | undefined): Seat | undefined {
    return this.#anyhow?.pickAnyhow(tried)
  }

  /** Whether an endpoint other than this one takes any number of requests. Mostly one step. */
  hasUsableBeside(load: EndpointLoad): boolean {
    for (const seat of this.seats) if (isUsable(seat) && !seat.load.onTrial && seat.load !== load) return true
    return false
  }

  /** An endpoint of this group was ejected. */
  seatEjected(seat: Seat): void {
    if (seat.enabled) this.ejected++
    const picker = this.#usable
    if (picker === undefined || !seat.fit) return
    picker.barred++
    if (picker.barred > Math.min(MOST_STALE, picker.seats.length >> 5)) this.#usable = this.#pickerOver(isUsable)
  }

  /** Ejected seats have come back. */
  seatsReturned(): void {
    this.ejected = 0
    for (const seat of this.seats) if (seat.load.ejected && seat.enabled) this.ejected++
    this.#usable = this.#pickerOver(isUsable)
  }

  /** The trial of a seat is over, with whatever result. */
  trialEnded(seat: Seat): void {
    if (this.#usable !== undefined && seat.fit) this.#usable.barred--
  }

  #pickerOver(belongs: (seat: Seat) => boolean): Picker | undefined {
    const seats = this.seats.filter(belongs)
    if (seats.length === 0) return undefined
    const picker = createPicker(this.#balancer, seats, this.#random)
    for (const seat of seats) if (seat.load.onTrial) picker.barred++
    return picker
  }
}

function isEnabled(seat: Seat): boolean {
  return seat.enabled
}

function isUsable(seat: Seat): boolean {
  return seat.fit && !seat.load.ejected
}
