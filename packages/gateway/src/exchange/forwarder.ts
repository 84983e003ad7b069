import type { IncomingMessage, ServerResponse } from 'node:http'
import { emitLanewayWarning, type Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { Dispatcher } from 'undici'
import { type HeadRules, requestHeaders } from '../head/request-head.js'
import type { EarlyData } from '../listener/early-data.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { Metrics } from '../observe/metrics.js'
import type { ObservedResolver } from '../observed-resolver.js'
import { isPerCaller, type RoutingTables } from '../route/routing.js'
import { kWaiter, type Waiter } from './bounded-pool.js'
import type { ClientAnswer } from './client-answer.js'
import { Exchange } from './exchange.js'
import type { Refusal } from './problem.js'
import { hasBody, Upload } from './upload.js'

/** What an exchange tells when it has ended. */
export interface ExchangeEnd {
  readonly request: IncomingMessage
  readonly path: string
  readonly choice: Choice | undefined
  /** 0: the client left before there was one. */
  readonly status: number
  readonly seconds: number
  readonly upstreamMs: number | undefined
  readonly requestBytes: number
  readonly responseBytes: number
  readonly error: string | undefined
}

/** What the forwarder needs. */
export interface ForwarderOptions {
  /** Resolves and carries the lane; takes undici's raw handlers. */
  readonly dispatcher: Dispatcher
  readonly resolver: ObservedResolver
  readonly tables: RoutingTables
  readonly log: ((entry: AccessLogEntry) => void) | undefined
  /** Told why an upstream could not answer. */
  readonly onUpstreamError: ((error: unknown, service: string) => void) | undefined
  readonly privateAnswers: boolean
  /** How long a client may keep an upstream waiting; 0 for ever. */
  readonly stallTimeoutMs: number
}

/** Ticks of the clock for `stallTimeoutMs`: a client has at most a quarter more than that. */
const STALL_TICKS = 4

type ExchangeOptions = Dispatcher.DispatchOptions & { [kWaiter]: Waiter }

/** Sends requests on, and counts them. Shared by all listeners. */
export class Forwarder {
  readonly metrics = new Metrics()
  readonly resolver: ObservedResolver
  readonly tables: RoutingTables
  /** Answers end their connection. */
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
    this.resolver = options.resolver
    this.tables = options.tables
    const { stallTimeoutMs } = options
    if (stallTimeoutMs > 0) {
      this.#clock = setInterval(() => this.#endStalled(), Math.ceil(stallTimeoutMs / STALL_TICKS)).unref()
    }
  }

  /** Stops the clock. */
  close(): void {
    clearInterval(this.#clock)
  }

  #endStalled(): void {
    this.tick++
    for (const exchange of this.#open) exchange.endStalled(this.tick - STALL_TICKS - 1)
  }

  /** A request is under way. */
  began(exchange: Exchange): void {
    this.metrics.inFlight++
    this.#open.add(exchange)
  }

  /** It is under way no more, or has become something else. */
  left(exchange: Exchange): void {
    this.metrics.inFlight--
    this.#open.delete(exchange)
  }

  /**
   * Sends the head of an answer at the end of this turn, unless its body comes before that: one write for small answers,
   * and for all heads of a turn one callback.
   */
  flushSoon(answer: ClientAnswer): void {
    if (this.#heads.push(answer) > 1) return
    setImmediate(() => {
      const heads = this.#heads
      this.#heads = []
      for (const head of heads) head.flushHead()
    })
  }

  /**
   * Forwards a request, in the context of its lane. Never throws.
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
    const routing = this.tables.routingOf(request)
    const { backend, rule } = routing
    const isPrivate = this.#options.privateAnswers && isPerCaller(lane, routing)
    const exchange = new Exchange(this, request, response, path, backend ?? undefined, lane, rule, isPrivate)
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
        [kWaiter]: exchange,
      }
      this.#options.dispatcher.dispatch(options, exchange as never)
    } catch (error) {
      exchange.onError(error)
    }
  }

  /** Answers a request that cannot be forwarded as it is. Never throws. */
  refuse(request: IncomingMessage, response: ServerResponse, target: string, refusal: Refusal): void {
    new Exchange(this, request, response, target, undefined, undefined, undefined, false).refuse(refusal)
  }

  /** An upstream did not answer. */
  failed(exchange: Exchange, error: unknown, refusal: Refusal): void {
    if (refusal === 'bad-request' || refusal === 'client-timeout') return
    try {
      this.#options.onUpstreamError?.(error, exchange.backend?.service ?? '')
    } catch (thrown) {
      emitLanewayWarning(`onUpstreamError threw: ${thrown}`)
    }
  }

  /** Called by each exchange once. */
  ended(exchange: Exchange, end: ExchangeEnd): void {
    const { metrics } = this
    const { backend, lane, rule } = exchange
    const { choice } = end
    const route = backend?.route ?? '_none'
    this.left(exchange)
    metrics.request({
      route,
      lane: lane?.header,
      laneIsKnown:
        lane !== undefined && (rule?.lane === lane || backend?.lane === lane || choice?.served === lane.header),
      served: choice?.served,
      outcome:
        choice?.outcome ?? (backend === undefined ? 'none' : end.error === 'not-ready' ? 'not-ready' : 'outside'),
      status: end.status,
      seconds: end.seconds,
      requestBytes: end.requestBytes,
      responseBytes: end.responseBytes,
    })
    if (this.#options.log !== undefined) {
      try {
        this.#options.log(entryOf(exchange, end))
      } catch (thrown) {
        emitLanewayWarning(`accessLog threw: ${thrown}`)
      }
    }
    if (metrics.inFlight === 0) this.#idle?.()
  }

  /** Resolves when no request is under way. @param upgraded - and no connection that was upgraded is open */
  async idle(upgraded: boolean): Promise<void> {
    const { metrics } = this
    while (metrics.inFlight > 0 || (upgraded && metrics.upgraded > 0)) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
    this.#idle = undefined
  }
}

function entryOf({ backend, lane, rule }: Exchange, end: ExchangeEnd): AccessLogEntry {
  const { request, path, choice } = end
  const { headers, socket } = request
  const query = path.indexOf('?')
  return {
    time: new Date(Date.now() - end.seconds * 1000).toISOString(),
    method: request.method ?? '',
    host: headers.host ?? (headers[':authority'] as string | undefined),
    path: query === -1 ? path : path.slice(0, query),
    protocol: `HTTP/${request.httpVersion}`,
    client: socket?.remoteAddress,
    status: end.status,
    route: backend?.route,
    service: backend?.service,
    lane: lane?.header,
    rule: rule?.rule,
    outcome: choice?.outcome,
    served: choice?.served,
    endpoint: choice?.endpoint?.address,
    requestBytes: end.requestBytes,
    responseBytes: end.responseBytes,
    durationMs: Math.round(end.seconds * 1e6) / 1e3,
    upstreamMs: end.upstreamMs === undefined ? undefined : Math.round(end.upstreamMs * 1e3) / 1e3,
    error: end.error,
  }
}
