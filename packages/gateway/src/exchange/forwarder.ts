import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Lane } from '@laneway/core'
import { emitLanewayWarning } from '@laneway/core/internal'
import { kChoiceListener } from '@laneway/undici/internal'
import type { Dispatcher } from 'undici'
import { type HeadRules, requestHeaders } from '../head/request-head.js'
import type { EarlyData } from '../listener/early-data.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { Metrics } from '../observe/metrics.js'
import { entryOf, measuredOf } from '../observe/request-record.js'
import { isPerCaller, type Routing, type RoutingTables } from '../route/routing.js'
import type { Waiter } from './bounded-pool.js'
import type { ClientAnswer } from './client-answer.js'
import { Exchange, type ExchangeEnd, type ExchangeOwner } from './exchange.js'
import type { Refusal } from './problem.js'
import { hasBody, Upload } from './upload.js'

/** What the forwarder needs. */
export interface ForwarderOptions {
  /** Resolves services and sends the lane; takes undici's raw handlers. */
  readonly dispatcher: Dispatcher
  readonly tables: RoutingTables
  readonly log: ((entry: AccessLogEntry) => void) | undefined
  /** Called with the reason when an upstream could not answer. */
  readonly onUpstreamError: ((error: unknown, service: string) => void) | undefined
  readonly privateAnswers: boolean
  /** How long a client may keep an upstream waiting; 0: no limit. */
  readonly stallTimeoutMs: number
}

/** Ticks of the clock in `stallTimeoutMs`: a client has at most a quarter more than that. */
const STALL_TICKS = 4

type ExchangeOptions = Dispatcher.DispatchOptions & { [kChoiceListener]: Waiter }

/** Forwards requests and counts them. All listeners share it. */
export class Forwarder implements ExchangeOwner {
  readonly metrics = new Metrics()
  /** Answers close their connection. */
  draining = false
  /** A clock that costs nothing to read; see `stallTimeoutMs`. */
  tick = 1
  readonly #options: ForwarderOptions
  readonly #open = new Set<Exchange>()
  #heads: ClientAnswer[] = []
  readonly #clock: NodeJS.Timeout | undefined
  #idle: (() => void) | undefined

  constructor(options: ForwarderOptions) {
    this.#options = options
    const { stallTimeoutMs } = options
    if (stallTimeoutMs > 0) {
      this.#clock = setInterval(() => this.#endStalled(), Math.ceil(stallTimeoutMs / STALL_TICKS)).unref()
    }
  }

  /** Stops the clock. */
  close(): void {
    clearInterval(this.#clock)
  }

  /**
   * Forwards a request; called in the context of its lane. Never throws.
   *
   * @param path - path and query as sent
   * @param early - what comes behind the head of an upgrade request; `undefined` for every other
   */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    lane: Lane | undefined,
    rules: HeadRules,
    early: EarlyData | undefined,
  ): void {
    const routing = this.#options.tables.routingOf(request)
    const { backend } = routing
    const isPrivate = this.#options.privateAnswers && isPerCaller(lane, routing)
    const exchange = new Exchange(this, request, response, path, lane, routing, isPrivate)
    if (backend === undefined || backend === null) {
      exchange.refuse(backend === undefined ? 'no-route' : 'no-backend')
      return
    }
    try {
      const upload = early === undefined && hasBody(request) ? new Upload(request, this) : undefined
      exchange.carries(upload, early)
      const options: ExchangeOptions = {
        origin: backend.origin,
        path,
        method: request.method as Dispatcher.HttpMethod,
        headers: requestHeaders(request, rules, backend),
        body: upload ?? null,
        upgrade: early === undefined ? null : 'websocket',
        headersTimeout: backend.timeoutMs ?? null,
        [kChoiceListener]: exchange,
      }
      this.#options.dispatcher.dispatch(options, exchange as never)
    } catch (error) {
      exchange.onError(error)
    }
  }

  /** Answers a request that cannot be forwarded as it is. Never throws. */
  refuse(request: IncomingMessage, response: ServerResponse, target: string, refusal: Refusal): void {
    new Exchange(this, request, response, target, undefined, NOT_ROUTED, false).refuse(refusal)
  }

  began(exchange: Exchange): void {
    this.metrics.inFlight++
    this.#open.add(exchange)
  }

  tunnelOpened(exchange: Exchange): void {
    this.metrics.upgraded++
    this.#left(exchange)
  }

  tunnelClosed(exchange: Exchange): void {
    this.metrics.upgraded--
    this.began(exchange)
  }

  failed(exchange: Exchange, error: unknown, refusal: Refusal): void {
    if (refusal === 'bad-request' || refusal === 'client-timeout') return
    try {
      this.#options.onUpstreamError?.(error, exchange.backend?.service ?? '')
    } catch (thrown) {
      emitLanewayWarning(`onUpstreamError threw: ${thrown}`)
    }
  }

  ended(exchange: Exchange, end: ExchangeEnd): void {
    this.#left(exchange)
    this.metrics.request(measuredOf(exchange, end))
    if (this.#options.log !== undefined) {
      try {
        this.#options.log(entryOf(exchange, end))
      } catch (thrown) {
        emitLanewayWarning(`accessLog threw: ${thrown}`)
      }
    }
    if (this.metrics.inFlight === 0) this.#idle?.()
  }

  /**
   * Sends the head of an answer at the end of this turn, unless its body comes first: small answers take one write, and
   * all heads of a turn take one callback.
   */
  flushSoon(answer: ClientAnswer): void {
    if (this.#heads.push(answer) > 1) return
    setImmediate(() => {
      const heads = this.#heads
      this.#heads = []
      for (const head of heads) head.flushHead()
    })
  }

  /** Resolves when no request is in flight. @param upgraded - and no tunnel is open */
  async idle(upgraded: boolean): Promise<void> {
    const { metrics } = this
    while (metrics.inFlight > 0 || (upgraded && metrics.upgraded > 0)) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
    this.#idle = undefined
  }

  #left(exchange: Exchange): void {
    this.metrics.inFlight--
    this.#open.delete(exchange)
  }

  #endStalled(): void {
    this.tick++
    for (const exchange of this.#open) exchange.endStalled(this.tick - STALL_TICKS - 1)
  }
}

/** For requests that are refused before a route is looked for. */
const NOT_ROUTED: Routing = Object.freeze({ backend: undefined, rule: undefined, rulesPerCaller: false })
