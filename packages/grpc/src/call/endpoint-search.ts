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

/** How many other endpoints are tried before any byte of the call is sent. */
const MAX_RETRIES = 2

/** With `waitForReady`, the delay in milliseconds before the search starts again when no endpoint can be connected. */
const WAIT_FOR_READY_MS = 500

/** A call without an endpoint, as its search sees it. */
export interface Seeker extends Waits {
  readonly args: CallArguments
  readonly metadata: GrpcMetadata
  /** Picks an endpoint; one of `tried` only when there is no other. */
  pick(tried: ReadonlySet<string> | undefined): Choice
  /** @param last - the call may not move to another endpoint after this one */
  begin(channel: GrpcChannel, choice: Choice | undefined, last: boolean): void
  /** The target is no service any more: the call goes where it would without a resolver. */
  sendPlain(): void
  /** An endpoint could not be connected, or refused the call unprocessed. */
  missed(choice: Choice): void
  refuse(choice: Choice): void
  endWithError(error: Error): void
  end(code: number, details: string): void
  fault(error: unknown): void
}

/**
 * Finds a connection for one call whose endpoint is not connected yet. When an endpoint cannot be connected, it tries others.
 * Most calls find a connected endpoint and need no search.
 */
export class EndpointSearch {
  readonly #call: Seeker
  readonly #route: LaneRoute
  readonly #service: string
  /** Reported to the resolver as started. */
  #choice: Choice | undefined
  /** Addresses of the endpoints that failed before anything was sent. */
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

  /** @param failed - why the previous endpoint has no channel */
  choose(failed?: Error): void {
    this.use(this.#call.pick(this.#tried), failed)
  }

  /** Continues with a choice that is not reported as started yet. */
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

  /** A channel had the call but did not send it. @param choice - reported as started */
  failed(choice: Choice): void {
    this.#over = false
    this.#choice = choice
    const endpoint = choice.endpoint!
    this.#connectFailed(endpoint, undefined, this.#route.channels!.peek(endpoint))
  }

  /** Ends the search. @returns the choice that is still reported as started */
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

  /** Waits until the sources have answered about the service. */
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
      if (this.#route.service() === undefined) this.#call.sendPlain()
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
    if (choice !== undefined) this.#call.missed(choice)
    this.#tried ??= new Set()
    this.#tried.add(endpoint.address)
    try {
      if (choice !== undefined) {
        // A closed channel means that its endpoint was removed, not that it failed.
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
   * With `waitForReady`, the search starts again after a delay. Any other call goes to the channel of its endpoint: grpc-js
   * ends it with the error of the connection, or sends it when the connection comes up late.
   *
   * @param failure - why the endpoint has no channel
   */
  #giveUp(channel: EndpointChannel | undefined, failure: Error | undefined): void {
    if (this.#waitsForReady()) {
      this.#release()
      this.#again()
      return
    }
    // The resolver knows of this failure already.
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
