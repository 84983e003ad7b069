import { isIP } from 'node:net'
import {
  type CallInfo,
  channels,
  duringCall,
  emitLanewayWarning,
  guardLookup,
  kAnyAddress,
  LanewayError,
} from '@laneway/core'
import type { Choice, ChoiceEnd, Endpoint, LaneResolver } from '@laneway/discovery'
import { type Call, infoOf } from './call.js'
import { reportChoice } from './choice-listener.js'
import { isConnectFailure, isHeadersTimeout, isResponseLost, isTimeout } from './connect-failure.js'
import type { Dispatch, DispatchHandler, DispatchOptions } from './dispatcher.js'
import type { PlainHeaders } from './headers.js'
import type { LaneRoute } from './lane-route.js'
import { sendOutside } from './outside-hop.js'
import type { Target } from './target.js'

/** How often a connect error is answered by another endpoint, on top of what the user's own retry does. */
const MAX_RECONNECTS = 2

/** The handler that stands between, see `exchangeFor`. */
type Exchange = DispatchHandler & { readonly settled: boolean; fail(error: unknown): void }

/** One attempt after the other at a resolved service: chooses, reports, and moves on when no connection can be made. */
export class ServiceHop {
  choice: Choice | undefined
  /** The request is being written: from now on an endpoint may have seen it. */
  connected = false
  responded = false
  /** The caller aborted. */
  gaveUp = false
  /** undici has the attempt: what is thrown from now on is no fault of ours. */
  handedOn = false
  private sending = false
  private counted = false
  private reconnects = 0
  private sent = 0

  constructor(
    private readonly route: LaneRoute,
    private readonly resolver: LaneResolver,
    private readonly dispatch: Dispatch,
    readonly service: string,
    readonly target: Target,
    readonly call: Call,
    private readonly options: DispatchOptions,
    /** As they came. */
    private readonly given: DispatchOptions,
    private readonly headers: PlainHeaders,
    /** The endpoint whose body is being resumed. */
    readonly resumes: Choice | undefined,
  ) {}

  pick(): Choice {
    if (this.resumes !== undefined) return this.resumes
    return channels.decision.hasSubscribers ? this.chooseTold() : this.choose()
  }

  /** For events. */
  info(choice: Choice | undefined): CallInfo {
    return infoOf(this.call, this.given, this.service, choice)
  }

  private chooseTold(): Choice {
    return duringCall(this.info(undefined), () => this.choose())
  }

  private choose(): Choice {
    return this.resolver.pick(this.service, this.call.lane, this.call.tried)
  }

  isService(): boolean {
    const { hostname, port, secure } = this.target
    return this.resolver.match(hostname, port, secure) !== undefined
  }

  /** The error of a choice without endpoint. */
  refusal(choice: Choice, cause?: unknown): LanewayError {
    reportChoice(this.given, choice)
    return this.resolver.refusal(choice, this.call.lane, cause)
  }

  /** Waits for the first answer of the sources. */
  lookup(): Promise<void> {
    return this.resolver.lookup(this.service)
  }

  send(choice: Choice, endpoint: Endpoint, handler: DispatchHandler): boolean {
    this.choice = choice
    this.connected = false
    this.responded = false
    reportChoice(this.given, choice)
    const { http, https, unchecked } = originsOf(endpoint)
    this.options.origin = this.isSecure(endpoint) ? https : http
    if (!this.target.secure && endpoint.secure === true) this.connectSecurely(endpoint, https)
    this.sent = this.route.pools?.now() ?? 0
    this.resolver.started(choice)
    this.counted = true
    this.sending = true
    this.handedOn = true
    try {
      if (unchecked && this.route.pools?.guard(endpoint, http) !== true) {
        this.sendResolved(endpoint, handler as Exchange)
        return true
      }
      return this.dispatch(this.options, handler)
    } catch (error) {
      this.end('aborted')
      throw error
    } finally {
      this.sending = false
    }
  }

  private isSecure(endpoint: Endpoint): boolean {
    return this.target.secure || endpoint.secure === true
  }

  /** The URL says http, and the endpoint speaks TLS only. */
  private connectSecurely(endpoint: Endpoint, origin: string): void {
    const { endpointTls } = this.route.settings
    this.options.servername = endpointTls?.servername ?? this.target.servername
    if (endpointTls !== undefined) this.route.pools?.secure(endpoint, origin, endpointTls)
  }

  /** Where no connector of the dispatcher can be reached: the request goes to the address that was checked, not to the name. */
  private sendResolved(endpoint: Endpoint, exchange: Exchange): void {
    guardLookup(undefined)(endpoint.host, {}, (error: unknown, address: string) => {
      try {
        if (error === null || error === undefined) {
          const host = address.includes(':') ? `[${address}]` : address
          this.options.origin = `${this.isSecure(endpoint) ? 'https' : 'http'}://${host}:${endpoint.port}`
          this.dispatch(this.options, exchange)
          return
        }
        const told = this.fail(error, exchange)
        if (told !== undefined) exchange.fail(told)
      } catch (thrown) {
        this.end('aborted')
        exchange.fail(thrown)
      }
    })
  }

  start(status: number): void {
    this.responded = true
    // The first part of a body that a retry may want to resume.
    if (status >= 200 && status < 300) {
      this.call.source = this.choice
      if (this.resumes === undefined) this.call.sourceSeen = this.sent
    }
  }

  end(end: ChoiceEnd): void {
    if (!this.counted || this.choice === undefined) return
    this.counted = false
    try {
      this.resolver.finished(this.choice, end)
    } catch (error) {
      // What has ended cannot end with this.
      const { onFault = warnOfFault } = this.route
      onFault(error)
    }
  }

  /** Nobody above could catch it: the request ends with it, or does without Laneway. */
  fault(error: unknown, exchange: Exchange): void {
    const { onFault } = this.route
    if (onFault === undefined || this.handedOn || exchange.settled) exchange.fail(error)
    else {
      onFault(error)
      this.leave(exchange)
    }
  }

  /** Goes where it would without a resolver. */
  leave(exchange: Exchange): void {
    this.choice = undefined
    try {
      sendOutside(this.route, this.call, this.given, this.headers, this.target, exchange)
    } catch (error) {
      exchange.fail(error)
    }
  }

  /**
   * @param exchange - dispatched again when there is another endpoint
   * @returns what the caller is told, `undefined` when the request goes on elsewhere
   */
  fail(error: unknown, exchange: Exchange): unknown {
    const { choice } = this
    const endpoint = choice?.endpoint
    if (!this.counted || choice === undefined || endpoint === undefined) return error
    // An interceptor that retries a status aborts its response: that began all the same.
    if (this.responded) this.end('ok')
    else if (this.gaveUp) this.end(this.hadAllTime() && isTimeout(error) ? 'timeout' : 'aborted')
    else if (this.connected) {
      const lost = isResponseLost(error, this.options.body)
      this.end(isHeadersTimeout(error) ? 'timeout' : lost ? 'reset' : 'aborted')
      if (lost) this.blame(endpoint)
      // An error that comes back before dispatch has returned is about the options or a closed dispatcher.
    } else if (this.sending || !isConnectFailure(error, this.options.body)) this.end('aborted')
    else return this.reconnect(error, choice, endpoint, exchange)
    return error
  }

  private reconnect(error: unknown, choice: Choice, endpoint: Endpoint, exchange: Exchange): unknown {
    this.end('connect-error')
    this.blame(endpoint)
    if (this.resumes !== undefined) return resumeMoved(choice, error)
    if (this.reconnects >= MAX_RECONNECTS) return error
    this.reconnects++
    this.handedOn = false
    try {
      const next = this.pick()
      if (next.endpoint === undefined) return next.outcome === 'not-ready' ? error : this.refusal(next, error)
      if (this.call.tried?.has(next.endpoint.address)) return error
      this.send(next, next.endpoint, exchange)
    } catch (fault) {
      this.fault(fault, exchange)
    }
    return undefined
  }

  /** Time of the caller that went by at another endpoint says nothing about this one. */
  private hadAllTime(): boolean {
    return this.connected && this.reconnects === 0 && this.call.attempts === 1
  }

  private blame(endpoint: Endpoint): void {
    this.call.tried ??= new Set()
    this.call.tried.add(endpoint.address)
  }
}

export function resumeMoved(choice: Choice, cause?: unknown): LanewayError {
  return new LanewayError(
    'LANEWAY_RESUME_MOVED',
    `the first part of the body came from ${choice.endpoint?.address} of ${choice.service}, which is not available; ` +
      'the bytes of two endpoints are never joined',
    cause === undefined ? undefined : { cause },
  )
}

interface Origins {
  readonly http: string
  readonly https: string
  /** The host is a name, and its resolver lets no endpoint lead to a forbidden address. */
  readonly unchecked: boolean
}

const origins = new WeakMap<Endpoint, Origins>()

function originsOf(endpoint: Endpoint): Origins {
  let both = origins.get(endpoint)
  if (both === undefined) {
    const unchecked = isIP(endpoint.host) === 0 && (endpoint as { [kAnyAddress]?: true })[kAnyAddress] !== true
    both = { http: `http://${endpoint.address}`, https: `https://${endpoint.address}`, unchecked }
    origins.set(endpoint, both)
  }
  return both
}

/** For faults of a resolver that no request can end with. */
function warnOfFault(error: unknown): void {
  emitLanewayWarning(`a resolver failed when it was told of an end: ${(error as Error)?.stack ?? error}`)
}
