import type { Endpoint } from '../endpoint/endpoint.js'
import type { Choice, Outcome } from './choice.js'
import type { EndpointLoad } from './endpoint-load.js'

/** A choice that knows the load of its endpoint, unseen by users: `started` needs no look-up. */
export class TableChoice implements Choice {
  readonly service: string
  readonly endpoint: Endpoint | undefined
  readonly outcome: Outcome
  readonly served: string | undefined
  readonly #load: EndpointLoad | undefined

  constructor(
    service: string,
    endpoint: Endpoint | undefined,
    outcome: Outcome,
    served: string | undefined,
    load: EndpointLoad | undefined,
  ) {
    this.service = service
    this.endpoint = endpoint
    this.outcome = outcome
    this.served = served
    this.#load = load
    Object.freeze(this)
  }

  /** The load behind a choice; `undefined` for a choice without endpoint, or one that no table made. */
  static loadOf(choice: Choice): EndpointLoad | undefined {
    return #load in choice ? choice.#load : undefined
  }
}

/**
 * The place of an endpoint in base or in one lane, with every choice that can end there. An endpoint of two lanes has
 * two seats.
 */
export class Seat {
  readonly endpoint: Endpoint
  readonly load: EndpointLoad
  /** `undefined` = base. */
  readonly tag: string | undefined
  /** Enabled and of some weight: what panic may still choose. */
  readonly enabled: boolean
  /** Enabled and not unhealthy: usable unless it is ejected. */
  readonly fit: boolean
  /** Outcome `lane` or `base`. */
  readonly served: Choice
  readonly panic: Choice
  /** Outcome `fallback-missing` and `fallback-unavailable`; for a lane seat the same as `served`, never used. */
  readonly missing: Choice
  readonly unavailable: Choice

  constructor(service: string, endpoint: Endpoint, load: EndpointLoad, tag: string | undefined) {
    this.endpoint = endpoint
    this.load = load
    this.tag = tag
    this.enabled = endpoint.enabled && endpoint.weight > 0
    this.fit = this.enabled && endpoint.health !== 'unhealthy'
    const base = tag === undefined
    this.served = new TableChoice(service, endpoint, base ? 'base' : 'lane', tag, load)
    this.panic = new TableChoice(service, endpoint, 'panic', tag, load)
    this.missing = base ? new TableChoice(service, endpoint, 'fallback-missing', tag, load) : this.served
    this.unavailable = base ? new TableChoice(service, endpoint, 'fallback-unavailable', tag, load) : this.served
  }
}
