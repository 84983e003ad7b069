import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointLoad } from './endpoint-load.js'
import { Seat } from './seat.js'

/** An endpoint of a table with its seats. Kept from table to table while the endpoint is the same. */
export class Member {
  readonly endpoint: Endpoint
  readonly load: EndpointLoad
  /** One for base, or one per tag. */
  readonly seats: readonly Seat[]
  /** What it was read from, when that can never change. */
  input: object | undefined
  /** Where it stands in the table. A hint: a build that was given up may have changed it. */
  place = 0
  /** The build that last met this member. Finds repeated and vanished addresses without a set per build. */
  seenBy = 0

  constructor(service: string, endpoint: Endpoint, load: EndpointLoad, input: object | undefined) {
    this.endpoint = endpoint
    this.input = input
    this.load = load
    this.seats =
      endpoint.tags.length === 0
        ? [new Seat(service, endpoint, load, undefined)]
        : endpoint.tags.map(tag => new Seat(service, endpoint, load, tag))
  }
}
