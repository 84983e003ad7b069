import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { Dispatcher } from 'undici'
import type { AccessLogEntry } from './access-log.js'
import { Exchange } from './exchange.js'
import { isWebSocket } from './gateway-request.js'
import { Metrics } from './metrics.js'
import type { ObservedResolver } from './observed-resolver.js'
import type { Refusal } from './problem.js'
import { type HeadRules, requestHeaders } from './request-head.js'
import { isPerCaller, type RoutingTables } from './routing.js'
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
}

/** Sends requests on, and counts them. Shared by all listeners. */
export class Forwarder {
  readonly metrics = new Metrics()
  readonly resolver: ObservedResolver
  readonly tables: RoutingTables
  /** Answers end their connection. */
  draining = false
  readonly #options: ForwarderOptions
  #idle: (() => void) | undefined

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.resolver = options.resolver
    this.tables = options.tables
  }

  /**
   * Forwards a request, in the context of its lane. Never throws.
   *
   * @param path - path and query as sent
   * @param head - what came behind the head of an upgrade request; `undefined` for every other
   */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    lane: Lane | undefined,
    rules: HeadRules,
    head: Buffer | undefined,
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
      // What follows an upgrade request is not parsed, so it has no body.
      const upload = head === undefined && hasBody(request) ? new Upload(request) : undefined
      exchange.carries(upload, head)
      const options: Dispatcher.DispatchOptions = {
        origin: backend.origin,
        path,
        method: request.method as Dispatcher.HttpMethod,
        headers: requestHeaders(request, rules, backend),
        body: upload ?? null,
        upgrade: head !== undefined && isWebSocket(request) ? 'websocket' : null,
        headersTimeout: backend.timeoutMs ?? null,
      }
      this.#options.dispatcher.dispatch(options, exchange as never)
    } catch (error) {
      exchange.onError(error)
    }
  }

  /** Answers a request that cannot be forwarded as it is. Never throws. */
  refuse(request: IncomingMessage, response: ServerResponse, target: string): void {
    new Exchange(this, request, response, target, undefined, undefined, undefined, false).refuse('bad-request')
  }

  /** An upstream did not answer. */
  failed(exchange: Exchange, error: unknown, refusal: Refusal): void {
    if (refusal === 'bad-request') return
    this.#options.onUpstreamError?.(error, exchange.backend?.service ?? '')
  }

  /** Called by each exchange once. */
  ended(exchange: Exchange, end: ExchangeEnd): void {
    const { metrics } = this
    const { backend, lane, rule } = exchange
    const { choice } = end
    const route = backend?.route ?? '_none'
    metrics.inFlight--
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
    if (this.#options.log !== undefined) this.#options.log(entryOf(exchange, end))
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
