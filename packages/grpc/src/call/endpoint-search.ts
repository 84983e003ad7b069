import type { Choice, Endpoint } from '@laneway/discovery'
import type { EndpointChannel } from '../client/endpoint-channel.js'
import type { LaneRoute } from '../client/lane-route.js'
import {
  type CallArguments,
  type GrpcChannel,
  type GrpcMetadata,
  READY,
  SHUTDOWN,
  TRANSIENT_FAILURE,
  UNAVAILABLE,
} from '../grpc-js.js'
import { CallWait, type Waits } from './call-wait.js'

/** Endpoints after the first, all before a byte of the call has left. */
const MAX_RETRIES = 2

/** A call that waits for a connection looks again after so many milliseconds when no endpoint can be connected. */
const WAIT_FOR_READY_MS = 500

/** A call without an endpoint, as its search sees it. */
export interface Seeker extends Waits {
  readonly args: CallArguments
  readonly metadata: GrpcMetadata
  /** Picks an endpoint that is none of `tried`, as long as there is another. */
  pick(tried: ReadonlySet<string> | undefined): Choice
  /** @param last - the call ends as it ends there */
  begin(channel: GrpcChannel, choice: Choice | undefined, last: boolean): void
  /** The service is none any more. */
  leave(): void
  refuse(choice: Choice): void
  endWithError(error: Error): void
  end(code: number, details: string): void
  fault(error: unknown): void
}

/**
 * The way of one call to a connection, when the endpoint that it picks is not connected yet. Endpoints that cannot be
 * connected are answered for by others. Most calls find a connection and need no search.
 */
export class EndpointSearch {
  readonly #call: Seeker
  readonly #route: LaneRoute
  readonly #service: string
  /** Reported as started. */
  #choice: Choice | undefined
  /** Addresses that failed before anything was sent. */
  #tried: Set<string> | undefined
  #retries = 0
  #looked = false
  #wait: CallWait | undefined
  #over = false

  constructor(call: Seeker, route: LaneRoute, service: string) {
    this.#call = call
    this.#route = route
    this.#service = service
  }

  /** @param failed - why the endpoint before has no channel */
  choose(failed?: Error): void {
    this.use(this.#call.pick(this.#tried), failed)
  }

  /** Goes on with a choice that is not started yet. */
  use(choice: Choice, failed?: Error): void {
    const { resolver, channels } = this.#route
    const { endpoint } = choice
    if (endpoint === undefined) {
      this.#without(choice)
      return
    }
    resolver!.started(choice)
    this.#choice = choice
    if (this.#tried?.has(endpoint.address) === true) {
      // Every endpoint that may serve has failed.
      this.#giveUp(channels!.peek(endpoint), failed)
      return
    }
    const channel = channels!.get(endpoint)
    if (channel === undefined) this.#open(endpoint)
    else this.#connect(endpoint, channel)
  }

  /** An endpoint had a call and nobody has seen it. @param choice - in use */
  failed(choice: Choice): void {
    this.#over = false
    this.#choice = choice
    const endpoint = choice.endpoint!
    this.#connectFailed(endpoint, undefined, this.#route.channels!.peek(endpoint))
  }

  /** The call needs no endpoint any more. @returns the choice that is in use still */
  stop(): Choice | undefined {
    const choice = this.#choice
    this.#choice = undefined
    this.#over = true
    this.#wait?.end()
    this.#wait = undefined
    return choice
  }

  #without(choice: Choice): void {
    if (choice.outcome === 'not-ready' && !this.#looked) this.#lookup()
    else if (choice.outcome !== 'lane-required' && this.#waitsForReady()) this.#again()
    else this.#call.refuse(choice)
  }

  /** The sources have not answered about the service yet. */
  #lookup(): void {
    this.#looked = true
    const proceed = (error?: Error) => {
      if (!this.#over) this.#waiting().run(() => this.#found(error))
    }
    this.#waiting()
    this.#route.resolver!.lookup(this.#service).then(() => proceed(), proceed)
  }

  #found(error: Error | undefined): void {
    try {
      if (this.#route.service() === undefined) this.#call.leave()
      else if (error === undefined) this.choose()
      else if (this.#waitsForReady()) this.#again()
      else this.#call.endWithError(error)
    } catch (fault) {
      this.#call.fault(fault)
    }
  }

  #open(endpoint: Endpoint): void {
    const wait = this.#waiting()
    wait.until(undefined, this.#route.options.connectTimeoutMs, () => this.#connectFailed(endpoint))
    this.#route.channels!.open(endpoint, (error, channel) => {
      if (this.#over || this.#choice?.endpoint !== endpoint) return
      wait.rest()
      wait.run(() => {
        if (channel === undefined) this.#connectFailed(endpoint, error)
        else this.#connect(endpoint, channel)
      })
    })
  }

  #connect(endpoint: Endpoint, channel: EndpointChannel): void {
    const state = channel.connect()
    if (state === READY) this.#begin(channel.channel, false)
    else if (state === TRANSIENT_FAILURE || state === SHUTDOWN) this.#connectFailed(endpoint, undefined, channel)
    else {
      const wait = this.#waiting()
      const stop = channel.watch(now => {
        if (now !== READY && now !== TRANSIENT_FAILURE && now !== SHUTDOWN) return
        wait.rest()
        wait.run(() => this.#connect(endpoint, channel))
      })
      wait.until(stop, this.#route.options.connectTimeoutMs, () => this.#connectFailed(endpoint, undefined, channel))
    }
  }

  #connectFailed(endpoint: Endpoint, failure?: Error, channel?: EndpointChannel): void {
    if (this.#over) return
    const { resolver, channels } = this.#route
    const choice = this.#choice
    this.#choice = undefined
    this.#tried ??= new Set()
    this.#tried.add(endpoint.address)
    try {
      if (choice !== undefined) {
        // A channel that was closed says that its endpoint has left, not that it is ill.
        const gone = channel?.channel.getConnectivityState(false) === SHUTDOWN
        resolver!.finished(choice, gone ? 'aborted' : 'connect-error')
      }
      channels!.failed(endpoint)
      const may = this.#retries++ < MAX_RETRIES && (choice === undefined || resolver!.mayReconnect?.(choice) !== false)
      if (may) this.choose(failure)
      else this.#giveUp(channels!.peek(endpoint), failure)
    } catch (fault) {
      this.#call.fault(fault)
    }
  }

  /**
   * A call that waits for a connection begins again. Another one is left to the channel of its endpoint: it ends with what
   * grpc-js says about the connection, or is sent when that is slow and comes after all.
   *
   * @param failure - why the endpoint has no channel
   */
  #giveUp(channel: EndpointChannel | undefined, failure: Error | undefined): void {
    if (this.#waitsForReady()) {
      this.#release()
      this.#again()
      return
    }
    // It has been told of this failure.
    if (channel?.channel.getConnectivityState(false) === TRANSIENT_FAILURE) this.#release()
    if (channel !== undefined) this.#begin(channel.channel, true)
    else if (failure !== undefined) this.#call.endWithError(failure)
    else this.#call.end(UNAVAILABLE, `No connection established: no endpoint of ${this.#service} can be connected`)
  }

  #waitsForReady(): boolean {
    return this.#call.metadata.getOptions().waitForReady === true
  }

  #again(): void {
    this.#waiting().until(undefined, WAIT_FOR_READY_MS, () => {
      this.#tried = undefined
      this.#retries = 0
      this.#found(undefined)
    })
  }

  #begin(channel: GrpcChannel, last: boolean): void {
    this.#call.begin(channel, this.stop(), last)
  }

  #release(): void {
    const choice = this.#choice
    this.#choice = undefined
    if (choice !== undefined) this.#route.resolver!.finished(choice, 'aborted')
  }

  #waiting(): CallWait {
    this.#wait ??= new CallWait(this.#call, this.#call.args)
    return this.#wait
  }
}
