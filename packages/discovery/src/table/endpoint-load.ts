import type { ReconnectBudget } from '../load/reconnect-budget.js'
import type { ChoiceEnd } from './choice.js'

/** More requests than any endpoint has at a time, and still a small integer. */
const UNLIMITED = 2 ** 30

/** Notified of how requests to an address end. */
export interface LoadListener {
  /** @param status - of the response; 0 when the adapter does not say */
  responded(load: EndpointLoad, status: number): void
  /** @param timeout - there was a connection, but no answer in time */
  failed(load: EndpointLoad, timeout: boolean): void
}

/** What the loads of all endpoints of a service have in common. */
export interface LoadSettings {
  /** Requests that one endpoint may have in flight; `undefined` for any number. */
  readonly maxInFlight: number | undefined
  readonly listener: LoadListener | undefined
  readonly budget: ReconnectBudget | undefined
}

/**
 * What is known about an address beyond its snapshot: requests in flight and failures. It outlives tables, so that a
 * registry push forgets neither.
 */
export class EndpointLoad {
  readonly address: string
  inFlight = 0
  /** So many requests it may have at a time. */
  readonly limit: number
  /** As `limit`; fewer while it is on trial after an ejection. */
  room: number
  onTrial = false
  /** Requests from before the trial that are still in flight. */
  #stale = 0
  /** The last request ended without an answer, or with one that says that the endpoint is ill or busy. */
  erred = false
  /** Consecutive failures: no connection, or no answer in time. */
  failures = 0
  /** Failures without a connection. A caller's timeout cannot cause these. */
  connectFailures = 0
  /** Consecutive responses of status 500 to 599, where they are counted. */
  serverErrors = 0
  /** Consecutive responses of status 502, 503 or 504, where they are counted. */
  gatewayErrors = 0
  ejected = false
  /** Its failures would have ejected it, if they could. */
  failing = false
  /** The ejection needed timeouts or statuses: it ends when no usable endpoint is left. */
  ejectedSoftly = false
  /** The ejection was for statuses: a connection alone does not end the trial after it. */
  ejectedForStatus = false
  /** End of the ejection, then of the trial, on the resolver's clock, milliseconds. */
  until = 0
  /** Ejections since the last success: the exponent of the back-off. */
  ejections = 0
  /** It is new, and its weight is still growing. */
  warming = false
  /** Begin of the warm-up on the resolver's clock, milliseconds. */
  warmingSince = 0
  readonly #listener: LoadListener | undefined
  readonly #budget: ReconnectBudget | undefined

  constructor(address: string, settings: LoadSettings) {
    this.address = address
    this.#listener = settings.listener
    this.#budget = settings.budget
    this.limit = settings.maxInFlight ?? UNLIMITED
    this.room = this.limit
  }

  /** A request begins. */
  started(): void {
    this.inFlight++
    if (this.#budget !== undefined) this.#budget.requests++
  }

  /**
   * A request has ended.
   *
   * @param status - of the response, 0 for none
   */
  finished(end: ChoiceEnd, status: number): void {
    if (this.inFlight > 0) this.inFlight--
    if (end !== 'aborted') this.erred = end !== 'ok' || status >= 500 || status === 429
    if (this.#stale > 0 && end !== 'aborted') {
      // Which one ended is not known; the first to end are those from before the trial, and their failures decide nothing.
      this.#stale--
      this.room = Math.min(this.limit, this.#stale + 1)
      if (end !== 'ok') return
    }
    if (end === 'ok') this.#listener?.responded(this, status)
    else if (end === 'connect-error' || end === 'timeout') this.#listener?.failed(this, end === 'timeout')
  }

  /** Whether a request that got no connection here may go to another endpoint. Counts it if so. */
  mayReconnect(): boolean {
    return this.#budget?.take() ?? true
  }

  get limited(): boolean {
    return this.limit !== UNLIMITED
  }

  /** As many requests in flight as it may have. */
  get full(): boolean {
    return this.inFlight >= this.limit
  }

  /** One request may show that the endpoint is back; those that still wait for an answer from before show nothing. */
  startTrial(): void {
    this.onTrial = true
    this.#stale = this.inFlight
    this.room = Math.min(this.limit, this.#stale + 1)
  }

  endTrial(): void {
    this.onTrial = false
    this.#stale = 0
    this.room = this.limit
  }

  /** Forgets failures; requests in flight are still in flight. */
  forgive(): void {
    this.endTrial()
    this.failures = 0
    this.connectFailures = 0
    this.serverErrors = 0
    this.gatewayErrors = 0
    this.ejections = 0
    this.failing = false
    this.ejected = false
    this.ejectedSoftly = false
    this.ejectedForStatus = false
    this.until = 0
  }
}
