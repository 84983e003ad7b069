import type { Choice } from '../table/choice.js'
import type { Seat } from '../table/seat.js'
import { AliasTable } from './alias-table.js'
import type { Random } from './random.js'

/** Weighted draws before the neighbours of the last draw are taken in turn. */
const DRAWS_BEFORE_WALK = 8

/**
 * Chooses among the seats that were usable when it was built. Built anew with each snapshot and when ejections pile up;
 * the request path only calls `pick`.
 */
export abstract class Picker {
  readonly seats: readonly Seat[]
  /**
   * By position, so that a pick touches no seat: at 100,000 endpoints every object that is looked at is a cache miss
   * (benchmark case discovery/pick).
   */
  readonly #served: readonly Choice[]
  protected readonly weights: Float64Array
  protected readonly table: AliasTable
  protected readonly random: Random
  readonly #limited: boolean
  /**
   * Seats that were ejected since this picker was built, or are on trial; with a limit of requests in flight, all. While
   * it is 0 and nothing was tried, a pick is a bare draw.
   */
  barred = 0

  /**
   * @param seats - at least one
   * @param weights - by position, each above 0: what zones and warm-up make of the weights of the endpoints
   */
  constructor(seats: readonly Seat[], weights: Float64Array, random: Random) {
    this.seats = seats
    this.random = random
    this.weights = weights
    this.table = new AliasTable(weights)
    this.#served = seats.map(seat => seat.served)
    // Every endpoint may reach its limit at any moment, so every draw is checked.
    this.#limited = seats[0]!.load.limited
    if (this.#limited) this.barred = seats.length
  }

  /**
   * The position of a seat, chosen as if every one were usable.
   *
   * @param attempt - how many positions of this pick were refused before
   */
  protected abstract draw(attempt: number): number

  /** The choice of `pick` for requests of its own group: base, or its lane. */
  serve(tried: ReadonlySet<string> | undefined): Choice | undefined {
    if (this.barred === 0 && (tried === undefined || tried.size === 0)) return this.#served[this.draw(0)]
    return this.#pickAround(tried, false)?.served
  }

  /** Chooses a seat that is neither ejected, nor full, nor busy with its trial, nor tried; `undefined` when there is none. */
  pick(tried: ReadonlySet<string> | undefined): Seat | undefined {
    if (this.barred === 0 && (tried === undefined || tried.size === 0)) return this.seats[this.draw(0)]
    return this.#pickAround(tried, false)
  }

  /** As `pick`, but ejected seats serve: panic. */
  pickAnyhow(tried: ReadonlySet<string> | undefined): Seat | undefined {
    if (!this.#limited && (tried === undefined || tried.size === 0)) return this.seats[this.draw(0)]
    return this.#pickAround(tried, true)
  }

  /** The position of a weighted draw. */
  protected position(): number {
    return this.table.draw(this.random)
  }

  // Weighted as long as luck allows, then a walk: it meets a free seat after at most as many steps as seats are barred,
  // so neither depends on the number of endpoints.
  #pickAround(tried: ReadonlySet<string> | undefined, ignoreEjected: boolean): Seat | undefined {
    for (let i = 0; i < DRAWS_BEFORE_WALK; i++) {
      const seat = this.seats[this.draw(i)]!
      if (isFree(seat, tried, ignoreEjected)) return seat
    }
    const { seats } = this
    let position = this.random.next() % seats.length
    const barred = this.barred + (tried === undefined ? 0 : tried.size)
    for (let steps = Math.min(seats.length, barred + 1); steps > 0; steps--) {
      const seat = seats[position]!
      if (isFree(seat, tried, ignoreEjected)) return seat
      position = position + 1 === seats.length ? 0 : position + 1
    }
    return undefined
  }
}

function isFree(seat: Seat, tried: ReadonlySet<string> | undefined, ignoreEjected: boolean): boolean {
  const { load } = seat
  if (ignoreEjected ? load.inFlight >= load.limit : load.ejected || load.inFlight >= load.room) return false
  return tried === undefined || !tried.has(seat.endpoint.address)
}
