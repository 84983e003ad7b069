import type { Clock } from '../clock.js'

/** How many requests whose connection failed the adapters may send to another endpoint. */
export interface ReconnectBudgetOptions {
  /**
   * Reconnects in proportion to the requests of a service.
   * @default 0.2, as Envoy's retry budget: when more than a fifth of the connections fail, the endpoints are lost rather
   * than leaving, and each reconnect is load for those that are left
   */
  readonly share?: number
  /**
   * Reconnects per second and service on top of the share, for services of few requests. Those that are not needed are saved
   * up for ten seconds.
   * @default 100, because a reconnect is cheap while there are few: the budget is for the storm
   */
  readonly perSecond?: number
}

/** Unused reconnects are kept for so long. */
const SAVED_SECONDS = 10

/**
 * The reconnects that a service has left, as a bucket of tokens. Requests only count up; the clock is read when a connection
 * has failed.
 */
export class ReconnectBudget {
  /** Requests that have begun. */
  requests = 0
  readonly #options: Required<ReconnectBudgetOptions>
  readonly #clock: Clock
  #tokens: number
  #countedRequests = 0
  #countedAt: number

  constructor(options: Required<ReconnectBudgetOptions>, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#tokens = options.perSecond * SAVED_SECONDS
    this.#countedAt = clock.now()
  }

  /** Takes one reconnect. @returns `false` when none is left */
  take(): boolean {
    const { share, perSecond } = this.#options
    const now = this.#clock.now()
    const most = Math.max(perSecond, 1) * SAVED_SECONDS
    const earned = (this.requests - this.#countedRequests) * share + ((now - this.#countedAt) / 1000) * perSecond
    this.#tokens = Math.min(most, this.#tokens + earned)
    this.#countedRequests = this.requests
    this.#countedAt = now
    if (this.#tokens < 1) return false
    // The reconnect counts as a request when it begins, and must earn nothing.
    this.#countedRequests++
    this.#tokens--
    return true
  }
}
