import type { Endpoint } from '../endpoint/endpoint.js'

/**
 * How one of several endpoints is chosen, in constant time each:
 *
 * - `weighted-random`: in proportion to the weights
 * - `round-robin`: in turn; with unequal weights spread as evenly as the weights allow
 * - `least-request`: in turn; but another one, drawn by weight, when it has fewer requests in flight per weight and its last
 *   answer was no error
 */
export type BalancerName = 'weighted-random' | 'round-robin' | 'least-request'

export const BALANCERS = ['weighted-random', 'round-robin', 'least-request'] as const satisfies readonly BalancerName[]

/** An endpoint that a balancer may choose. */
export interface BalancedEndpoint {
  readonly endpoint: Endpoint
  /** Requests of this process that the endpoint is serving, as of now. */
  readonly inFlight: number
}

/**
 * Chooses an endpoint, synchronously, in the context of the request that is about to be sent.
 *
 * @param attempt - 0 for the first choice of a pick. When the chosen endpoint is ejected, or has failed during this
 *   request, the resolver asks again with 1, 2, … up to 7, and then takes any usable endpoint
 * @returns the position in the list that {@link Balancer.balance} was given
 */
export type ChooseEndpoint = (attempt: number) => number

/** A balancer of your own, for the option `balancer` of `createLaneResolver`. */
export interface Balancer {
  /** For messages. */
  readonly name: string
  /**
   * Prepares the choice among the usable endpoints of base or of one lane. The resolver calls this when they change, not
   * per request. A balancer therefore cannot send a request out of its lane.
   *
   * When this or the returned function throws, or when the position is not in the list, the resolver warns once and
   * chooses by weight.
   *
   * @param endpoints - at least one; each has a weight above 0
   * @param random - the resolver's generator, like `Math.random`
   */
  balance(endpoints: readonly BalancedEndpoint[], random: () => number): ChooseEndpoint
}
