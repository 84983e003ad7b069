import type { ChoiceEnd } from './choice.js'

/** More requests than any endpoint has at a time, and still a small integer. */
const UNLIMITED = 2 ** 30

/** Notified of how requests to an address end. */
export interface LoadListener {
  succeeded(load: EndpointLoad): void
  /** @param timeout - there was a connection, but no answer in time */
  failed(load: EndpointLoad, timeout: boolean): void
}

/**
 * What is known about an address beyond its snapshot: requests in flight and failures. It outlives tables, so that a
 * registry push forgets neither.
 */
export class EndpointLoad {
  readonly address: string
  inFlight = 0
  /** Most requests at a time: few while the endpoint is on trial after an ejection. */
  room = UNLIMITED
  /** Consecutive failures: no connection, or no answer in time. */
  failures = 0
  /** Failures without a connection. A caller's timeout cannot cause these. */
  connectFailures = 0
  ejected = false
  /** The ejection needed timeouts: it ends when no usable endpoint is left. */
  ejectedByTimeouts = false
  /** End of the ejection, then of the trial, on the resolver's clock, milliseconds. */
  until = 0
  /** Ejections since the last success: the exponent of the back-off. */
  ejections = 0
  readonly #listener: LoadListener | undefined

  constructor(address: string, listener: LoadListener | undefined) {
    this.address = address
    this.#listener = listener
  }

  /** A request has ended. */
  finished(end: ChoiceEnd): void {
    if (this.inFlight > 0) this.inFlight--
    if (end === 'ok') this.#listener?.succeeded(this)
    else if (end === 'connect-error' || end === 'timeout') this.#listener?.failed(this, end === 'timeout')
  }

  get onTrial(): boolean {
    return this.room !== UNLIMITED
  }

  /** One request may show that the endpoint is back; those that still wait for an answer from before show nothing. */
  startTrial(): void {
    this.room = this.inFlight + 1
  }

  endTrial(): void {
    this.room = UNLIMITED
  }

  /** Forgets failures; requests in flight are still in flight. */
  forgive(): void {
    this.failures = 0
    this.connectFailures = 0
    this.ejections = 0
    this.ejected = false
    this.ejectedByTimeouts = false
    this.room = UNLIMITED
    this.until = 0
  }
}
