import { type CallInfo, channels, LanewayError } from '@laneway/core'
import {
  duringCall,
  guardLookup,
  refusalOf,
  type ServiceHandle,
  type TracedCall,
  warnOfFault,
} from '@laneway/core/internal'
import type { Choice, ChoiceEnd, EgressResolver, Endpoint } from '@laneway/discovery'
import { infoOf, resumedFrom } from '../call/call.js'
import type { Dispatch, DispatchOptions } from '../dispatcher/dispatcher.js'
import { originsOf } from '../dispatcher/endpoint-pools.js'
import { publishHop, sendOutside } from '../sent/outside.js'
import type { Attempt } from './attempt.js'
import { isConnectFailure, isHeadersTimeout, isResponseLost, isTimeout } from './connect-failure.js'

/** How often a connect error is answered by another endpoint, besides the retries of the user's own. */
const MAX_RECONNECTS = 2

/** The key of dispatch options for a {@link ChoiceListener}. Interceptors copy options with their symbols. */
export const kChoiceListener: unique symbol = Symbol.for('laneway.undici.choice-listener.v1') as never

/** Hears where its request goes, for a proxy that reports it. */
export interface ChoiceListener {
  /**
   * Called each time an attempt goes to an endpoint, and when no endpoint may serve the request. The last call counts.
   * Never called for a host that is no service.
   */
  chosen(choice: Choice): void
}

/**
 * Sends an attempt to a service: chooses an endpoint, reports how the use ended, and goes on to another one when no connection
 * can be made.
 */
export class ServiceHop {
  choice: Choice | undefined
  /** The request is being written: from now on an endpoint may have seen it. */
  connected = false
  responded = false
  /** The caller aborted. */
  aborted = false
  /** undici has the attempt: an error that is thrown from now on is not Laneway's. */
  handedOn = false
  /** The endpoint whose body the attempt resumes. */
  readonly resumes: Choice | undefined
  private sending = false
  private counted = false
  private reconnects = 0
  /** Of the response; 0 while there is none. */
  private status = 0
  private sentAt = 0

  constructor(
    private readonly attempt: Attempt,
    private readonly handle: ServiceHandle<Choice>,
    readonly service: string,
    /** The copy for the dispatcher below. */
    private readonly options: DispatchOptions,
    private readonly dispatch: Dispatch,
  ) {
    this.resumes = resumedFrom(attempt.call, attempt.headers)
  }

  private get resolver(): EgressResolver {
    return this.attempt.route.settings.resolver!
  }

  pick(): Choice {
    if (this.resumes !== undefined) return this.resumes
    return channels.decision.hasSubscribers ? this.chooseWithInfo() : this.choose()
  }

  private chooseWithInfo(): Choice {
    return duringCall(this.info(undefined), () => this.choose())
  }

  private choose(): Choice {
    const { call } = this.attempt
    return this.handle.pick(this.service, call.lane, call.tried)
  }

  private info(choice: Choice | undefined): CallInfo {
    return infoOf(this.attempt.call, this.attempt.options, this.service, choice)
  }

  /** Asked again after a wait: before it, neither the ports of a service are known nor whether a registry lists it. */
  isService(): boolean {
    return this.handle.match() !== undefined
  }

  /** Waits for the first answer of the sources. */
  lookup(): Promise<void> {
    return this.resolver.lookup(this.service)
  }

  /** Sends the attempt to the endpoint of a choice, or fails it when there is none. */
  sendTo(choice: Choice): boolean {
    const { attempt } = this
    const { call, route, target } = attempt
    const { endpoint } = choice
    if (endpoint === undefined) attempt.fail(this.refusal(choice))
    else if (this.resumes !== undefined && route.pools?.departedSince(endpoint, call.sourceSeen) === true) {
      attempt.fail(resumeMoved(choice))
    } else {
      if (channels.egress.hasSubscribers) publishHop(target!.hostname, call.lane, this.info(choice))
      return this.send(choice, endpoint)
    }
    return true
  }

  private refusal(choice: Choice, cause?: unknown): LanewayError {
    reportChoice(this.attempt.options, choice)
    this.trace(choice)?.failed('refused')
    return refusalOf(this.resolver, choice, this.attempt.call.lane, cause)
  }

  private send(choice: Choice, endpoint: Endpoint): boolean {
    const { route, target } = this.attempt
    this.choice = choice
    this.connected = false
    this.responded = false
    this.status = 0
    reportChoice(this.attempt.options, choice)
    if (this.attempt.call.trace !== undefined) this.trace(choice)
    const { http, https, unchecked } = originsOf(endpoint)
    this.options.origin = this.isSecure(endpoint) ? https : http
    if (!target!.secure && endpoint.secure === true) this.connectSecurely(endpoint, https)
    this.sentAt = route.pools?.now() ?? 0
    this.resolver.started(choice)
    this.counted = true
    this.sending = true
    this.handedOn = true
    try {
      if (unchecked && route.pools?.guard(endpoint, http) !== true) {
        this.sendToAddress(endpoint)
        return true
      }
      return this.dispatch(this.options, this.attempt)
    } catch (error) {
      this.end('aborted')
      throw error
    } finally {
      this.sending = false
    }
  }

  /** Records the attempt at an endpoint. */
  private trace(choice: Choice): TracedCall | undefined {
    const { attempt, service } = this
    const { trace, lane, attempts } = attempt.call
    if (trace === undefined) return undefined
    attempt.traced = trace.call(service, lane, choice.outcome, attempts + this.reconnects)
    attempt.traced?.chosen(choice)
    return attempt.traced
  }

  private isSecure(endpoint: Endpoint): boolean {
    return this.attempt.target!.secure || endpoint.secure === true
  }

  /** The URL says http, and the endpoint speaks TLS only. */
  private connectSecurely(endpoint: Endpoint, origin: string): void {
    const { route, target } = this.attempt
    const { endpointTls } = route.settings
    this.options.servername = endpointTls?.servername ?? target!.servername
    if (endpointTls !== undefined) route.pools?.secure(endpoint, origin, endpointTls)
  }

  /**
   * Resolves the name of an endpoint, checks the address, and sends the request to that address. For a dispatcher whose
   * connector Laneway cannot reach.
   */
  private sendToAddress(endpoint: Endpoint): void {
    guardLookup(undefined)(endpoint.host, {}, (error: unknown, address: string) => {
      try {
        if (error === null || error === undefined) {
          const host = address.includes(':') ? `[${address}]` : address
          this.options.origin = `${this.isSecure(endpoint) ? 'https' : 'http'}://${host}:${endpoint.port}`
          this.dispatch(this.options, this.attempt)
          return
        }
        const reported = this.fail(error)
        if (reported !== undefined) this.attempt.fail(reported)
      } catch (thrown) {
        this.end('aborted')
        this.attempt.fail(thrown)
      }
    })
  }

  /** The head of a response has arrived. */
  start(status: number): void {
    this.responded = true
    this.status = status
    // The first part of a body that a retry may want to resume.
    if (status >= 200 && status < 300) {
      const { call } = this.attempt
      call.source = this.choice
      if (this.resumes === undefined) call.sourceSeen = this.sentAt
    }
  }

  /** Reports to the resolver how the attempt at the endpoint ended; once. */
  end(end: ChoiceEnd): void {
    if (!this.counted || this.choice === undefined) return
    this.counted = false
    if (end !== 'ok') this.attempt.traced?.failed(end)
    try {
      this.resolver.finished(this.choice, end, this.status)
    } catch (error) {
      // The attempt has ended, so it cannot end with this error.
      const { onFault = warnOfFault } = this.attempt.route
      onFault(error)
    }
  }

  /**
   * Deciding failed where no caller can catch it: the request ends with the error or, in a preload, goes on without Laneway.
   */
  fault(error: unknown): void {
    const { attempt } = this
    const { onFault } = attempt.route
    if (onFault === undefined || this.handedOn || attempt.settled) attempt.fail(error)
    else {
      onFault(error)
      this.sendUnresolved()
    }
  }

  /** Sends the attempt where it would go without a resolver. */
  sendUnresolved(): void {
    this.choice = undefined
    try {
      sendOutside(this.attempt)
    } catch (error) {
      this.attempt.fail(error)
    }
  }

  /**
   * An attempt at an endpoint has failed; goes on to another endpoint where that is safe.
   *
   * @returns the error for the caller, `undefined` when the request goes on
   */
  fail(error: unknown): unknown {
    const { choice } = this
    const endpoint = choice?.endpoint
    if (!this.counted || choice === undefined || endpoint === undefined) return error
    // An interceptor that retries a status aborts its response, which began all the same.
    if (this.responded) this.end('ok')
    else if (this.aborted) this.end(this.hadAllTime() && isTimeout(error) ? 'timeout' : 'aborted')
    else if (this.connected) {
      const lost = isResponseLost(error, this.options.body)
      this.end(isHeadersTimeout(error) ? 'timeout' : lost ? 'reset' : 'aborted')
      if (lost) this.noteFailure(endpoint)
      // An error that comes back before dispatch has returned is about the options or a closed dispatcher.
    } else if (this.sending || !isConnectFailure(error, this.options.body)) this.end('aborted')
    else return this.reconnect(error, choice, endpoint)
    return error
  }

  private reconnect(error: unknown, choice: Choice, endpoint: Endpoint): unknown {
    this.end('connect-error')
    this.noteFailure(endpoint)
    if (this.resumes !== undefined) return resumeMoved(choice, error)
    if (this.reconnects >= MAX_RECONNECTS || this.resolver.mayReconnect?.(choice) === false) return error
    this.reconnects++
    this.handedOn = false
    try {
      const next = this.pick()
      if (next.endpoint === undefined) return next.outcome === 'not-ready' ? error : this.refusal(next, error)
      if (this.attempt.call.tried?.has(next.endpoint.address)) return error
      this.send(next, next.endpoint)
    } catch (fault) {
      this.fault(fault)
    }
    return undefined
  }

  /** Whether this endpoint had all the time that the caller gave: a timeout is its fault only then. */
  private hadAllTime(): boolean {
    return this.connected && this.reconnects === 0 && this.attempt.call.attempts === 1
  }

  private noteFailure(endpoint: Endpoint): void {
    const { call } = this.attempt
    call.tried ??= new Set()
    call.tried.add(endpoint.address)
  }
}

/** Reports a choice to the code that dispatched the request. */
function reportChoice(options: DispatchOptions, choice: Choice): void {
  ;(options as { [kChoiceListener]?: ChoiceListener })[kChoiceListener]?.chosen(choice)
}

function resumeMoved(choice: Choice, cause?: unknown): LanewayError {
  return new LanewayError(
    'LANEWAY_RESUME_MOVED',
    `the first part of the body came from ${choice.endpoint?.address} of ${choice.service}, which is not available; ` +
      'the bytes of two endpoints are never joined',
    cause === undefined ? undefined : { cause },
  )
}
