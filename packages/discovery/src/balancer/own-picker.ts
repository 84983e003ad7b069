import { emitLanewayWarning } from '@laneway/core/internal'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointLoad } from '../table/endpoint-load.js'
import type { Seat } from '../table/seat.js'
import type { BalancedEndpoint, Balancer, ChooseEndpoint } from './balancer.js'
import { Picker } from './picker.js'
import { DRAWS, type Random } from './random.js'

const warned = new WeakSet<Balancer>()

class BalancedSeat implements BalancedEndpoint {
  readonly endpoint: Endpoint
  readonly #load: EndpointLoad

  constructor({ endpoint, load }: Seat) {
    this.endpoint = endpoint
    this.#load = load
  }

  get inFlight(): number {
    return this.#load.inFlight
  }
}

/** Asks a balancer that the user wrote, and chooses by weight where that one fails: a pick never throws. */
export class OwnPicker extends Picker {
  readonly #balancer: Balancer
  #choose: ChooseEndpoint | undefined

  constructor(seats: readonly Seat[], weights: Float64Array, random: Random, balancer: Balancer) {
    super(seats, weights, random)
    this.#balancer = balancer
    try {
      const endpoints = Object.freeze(seats.map(seat => new BalancedSeat(seat)))
      this.#choose = balancer.balance(endpoints, () => random.next() / DRAWS)
    } catch (error) {
      this.#warn(error)
    }
  }

  protected draw(attempt: number): number {
    if (this.#choose === undefined) return this.position()
    try {
      const position = this.#choose(attempt)
      if (Number.isInteger(position) && position >= 0 && position < this.seats.length) return position
      this.#warn(`it chose ${position} of ${this.seats.length} endpoints`)
    } catch (error) {
      this.#warn(error)
    }
    return this.position()
  }

  #warn(why: unknown): void {
    if (warned.has(this.#balancer)) return
    warned.add(this.#balancer)
    emitLanewayWarning(
      `the balancer ${this.#balancer.name} failed, so endpoints are chosen by weight: ${(why as Error)?.message ?? why}`,
    )
  }
}
