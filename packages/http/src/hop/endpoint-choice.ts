import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { channels, type Lane } from '@laneway/core'
import { duringCall, isOwnShortage, refusalOf, warnOfFault } from '@laneway/core/internal'
import type { Choice, ChoiceEnd, Endpoint } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import { kEndpoint, WAITING } from '../sockets/endpoint-pool.js'
import type { HopAgent } from './hop-agent.js'

/** Connection attempts of a request after the first, all before a byte of it has left. */
const MAX_RETRIES = 2

/** The second is the default of axios. */
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ECONNABORTED', 'ESOCKETTIMEDOUT'])

/** The request that an endpoint is chosen for. */
export interface ChoosingHop {
  readonly agent: HopAgent
  readonly outgoing: OutgoingLane
  readonly service: string
  /** Of the connection: the choice names its pool there. */
  readonly options: HopOptions
}

/** How a request to an endpoint ended, and whether the endpoint is to blame. */
class HopEnd {
  /** It got a socket at once, so the endpoint had all the time that the caller gave. */
  reached = false
  /** Time went by in a wait, or at another endpoint, so a timeout does not blame this one. */
  delayed = false
  /** TCP is connected, TLS is not. */
  #handshaking = false
  #cancelled = false
  /** The caller aborted because its time was over. */
  #late = false
  /** While listeners of `timeout` run. */
  #timingOut = false

  /** TCP is connected. */
  connected(socket: Socket): void {
    if ((socket as { encrypted?: boolean }).encrypted !== true) return
    this.#handshaking = true
    socket.once('secureConnect', () => {
      this.#handshaking = false
    })
  }

  /** The listeners of `timeout` run next. */
  timingOut(): void {
    this.#timingOut = true
    process.nextTick(endTimingOut, this)
  }

  notTimingOut(): void {
    this.#timingOut = false
  }

  /** The caller aborted, or its agent did. @param error - what the request was destroyed with */
  cancelled(error: unknown): void {
    this.#cancelled = true
    this.#late = this.#timingOut || isTimeout(error)
  }

  /** The connection ended before it was made, for a reason that is not known, such as `agent.destroy()`. */
  lost(): void {
    this.#cancelled = true
  }

  /** The end to report for a request that is over. */
  of(request: ClientRequest): ChoiceEnd {
    // Set when the head of a response has arrived, and stays.
    if ((request as { res?: unknown }).res) return 'ok'
    if (this.#cancelled) return this.#late && this.reached && !this.delayed ? 'timeout' : 'aborted'
    return this.#handshaking ? 'connect-error' : 'reset'
  }
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
      this.hop.outgoing.chosen(choice)
      this.hop.options[kEndpoint] = endpoint
      return false
    }
    this.hop.options[kEndpoint] = WAITING
    if (choice.outcome === 'not-ready' && mayWait) return true
    this.failure = refusalOf(resolver, choice, lane, failure)
    this.hop.outgoing.chosen(choice)
    this.hop.outgoing.traced?.failed('refused')
    return false
  }

  /** A function of its own, because a closure slows its function down whenever that is called. */
  private chooseWithInfo(): Choice {
    return duringCall(this.hop.outgoing.info(), () => this.choose())
  }

  private choose(): Choice {
    const { agent, outgoing, service } = this.hop
    const { handle } = outgoing.target
    return handle === undefined
      ? agent.resolver.pick(service, outgoing.lane, this.tried)
      : handle.pick(service, outgoing.lane, this.tried)
  }

  /** A path that is written before the request hears of its end has that end. */
  override cancelled(error: unknown): void {
    super.cancelled(error)
    if (this.choice !== undefined) this.noteEnd()
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
    this.hop.outgoing.traced?.failed('connect-error')
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

  private noteEnd(): ChoiceEnd {
    const { request, traced } = this.hop.outgoing
    const end = this.of(request)
    if (end !== 'ok') traced?.failed(end)
    return end
  }

  /** Reports the end of the use. @param how - `undefined`: as the request itself ended */
  release(how: 'aborted' | undefined): void {
    const choice = this.choice
    if (choice === undefined) return
    this.choice = undefined
    const { resolver, onFault = warnOfFault } = this.hop.agent
    try {
      const { request } = this.hop.outgoing
      const end = how ?? this.noteEnd()
      resolver.finished(choice, end, statusOf(request))
    } catch (error) {
      // The request is over, so it cannot end with this error.
      onFault(error)
    }
  }
}

/** The status of the response; 0 while there is none. */
function statusOf(request: ClientRequest): number {
  return (request as { res?: { statusCode?: number } | null }).res?.statusCode ?? 0
}

function endTimingOut(end: HopEnd): void {
  end.notTimingOut()
}

/** The errors with which axios, got or `AbortSignal.timeout()` destroy a request when its time is over. */
function isTimeout(error: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown }
  if (name === 'TimeoutError' || (typeof code === 'string' && TIMEOUT_CODES.has(code))) return true
  return name === 'AbortError' && (Object(cause) as { name?: unknown }).name === 'TimeoutError'
}
