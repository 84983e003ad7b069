import { channels, type Lane } from '@laneway/core'
import { duringCall, isOwnShortage, refusalOf, warnOfFault } from '@laneway/core/internal'
import type { Choice, Endpoint } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import { kEndpoint, WAITING } from '../sockets/endpoint-pool.js'
import type { HopAgent } from './hop-agent.js'
import { HopEnd, statusOf } from './hop-end.js'

/** Connection attempts of a request after the first, all before a byte of it has left. */
const MAX_RETRIES = 2

/** The request that an endpoint is chosen for. */
export interface ChoosingHop {
  readonly agent: HopAgent
  readonly outgoing: OutgoingLane
  readonly service: string
  /** Of the connection: the choice names its pool there. */
  readonly options: HopOptions
}

/** The endpoint of one request: picks it, reports its use to the resolver, and how that ended. */
export class EndpointChoice extends HopEnd {
  /** Why no endpoint could be picked. */
  failure: Error | undefined
  private readonly hop: ChoosingHop
  /** In use, reported as started. */
  private choice: Choice | undefined
  /** The lane of the last pick. */
  private lane: Lane | undefined
  /** Addresses that failed before any response byte. */
  private tried: Set<string> | undefined
  private retries = 0

  constructor(hop: ChoosingHop) {
    super()
    this.hop = hop
  }

  get endpoint(): Endpoint | undefined {
    return this.choice?.endpoint
  }

  /**
   * Picks an endpoint for the lane that the request has now.
   *
   * @param failure - of the attempt before, `undefined` for the first
   * @param mayWait - the request has not waited for the sources yet
   * @returns whether the request must wait until the sources have answered
   */
  pick(failure: Error | undefined, mayWait: boolean): boolean {
    const { lane } = this.hop.outgoing
    const { resolver } = this.hop.agent
    this.lane = lane
    this.failure = undefined
    const choice = channels.decision.hasSubscribers ? this.chooseWithInfo() : this.choose()
    const { endpoint } = choice
    if (endpoint !== undefined) {
      if (failure !== undefined && this.tried?.has(endpoint.address) === true) {
        this.failure = failure
        return false
      }
      resolver.started(choice)
      this.choice = choice
      this.hop.options[kEndpoint] = endpoint
      return false
    }
    this.hop.options[kEndpoint] = WAITING
    if (choice.outcome === 'not-ready' && mayWait) return true
    this.failure = refusalOf(resolver, choice, lane, failure)
    return false
  }

  /** A function of its own, because a closure slows its function down whenever that is called. */
  private chooseWithInfo(): Choice {
    return duringCall(this.hop.outgoing.info(), () => this.choose())
  }

  private choose(): Choice {
    return this.hop.agent.resolver.pick(this.hop.service, this.hop.outgoing.lane, this.tried)
  }

  /** Whether the caller has set another tag since the pick. */
  isOutdated(): boolean {
    return this.lane?.header !== this.hop.outgoing.lane?.header
  }

  /**
   * The endpoint could not be reached; picks another one.
   *
   * @returns `false` when the failure is the end of the request
   */
  pickNext(failure: Error, mayWait: boolean): boolean {
    const choice = this.choice
    if (choice?.endpoint === undefined) return false
    if (isOwnShortage(failure)) {
      this.release('aborted')
      return false
    }
    this.choice = undefined
    this.delayed = true
    this.tried ??= new Set()
    this.tried.add(choice.endpoint.address)
    this.hop.agent.resolver.finished(choice, 'connect-error')
    if (this.hop.outgoing.request.destroyed || this.retries === MAX_RETRIES) return false
    if (this.hop.agent.resolver.mayReconnect?.(choice) === false) return false
    this.retries++
    // A connection that failed does not wait for the sources: the failure stands.
    if (this.pick(failure, mayWait)) this.failure = failure
    return true
  }

  /** Reports the end of the use. @param how - `undefined`: as the request itself ended */
  release(how: 'aborted' | undefined): void {
    const choice = this.choice
    if (choice === undefined) return
    this.choice = undefined
    const { resolver, onFault = warnOfFault } = this.hop.agent
    try {
      const { request } = this.hop.outgoing
      resolver.finished(choice, how ?? this.of(request), statusOf(request))
    } catch (error) {
      // The request is over, so it cannot end with this error.
      onFault(error)
    }
  }
}
