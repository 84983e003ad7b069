import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { kLane, type Lane, parseLane } from '@laneway/core'
import { context, type Histogram } from '@opentelemetry/api'
import { isSuppressed } from '../context/lane-context.js'
import { type UndiciRequest, undiciHeader } from '../spans/undici-request.js'
import type { LaneLabels } from './lane-labels.js'
import { errorType, requestAttributes } from './request-attributes.js'

const kStarted = Symbol('laneway.started')

type StartedRequest = ClientRequest & {
  [kStarted]?: number
  [kLane]?: Lane | null
  /** The response, once its head has come. */
  res?: { statusCode?: number }
  errored?: Error | null
}

/** A request of undici or `fetch` on its way. */
interface Exchange {
  readonly started: number
  readonly lane: Lane | undefined
  status: number | undefined
}

/**
 * Measures every request that leaves through `node:http`, undici or `fetch`, from its start to the end of the response. Its
 * lane is the one that goes on the wire. Requests that OpenTelemetry's exporters make are left out.
 *
 * @param header - lower case
 * @returns ends it
 */
export function measureClients(histogram: Histogram, labels: LaneLabels, header: string): () => void {
  function record(
    started: number,
    lane: Lane | undefined,
    method: unknown,
    status: number | undefined,
    error: string | undefined,
  ) {
    const seconds = (performance.now() - started) / 1000
    histogram.record(seconds, requestAttributes(labels.of(lane), labels.own, method, status, error))
  }

  function onHttpStart(message: unknown): void {
    const { request } = message as { request: StartedRequest }
    if (isSuppressed(context.active())) return
    request[kStarted] = performance.now()
    request.once('close', onHttpClose)
  }

  function onHttpClose(this: StartedRequest): void {
    const status = this.res?.statusCode
    const error = this.errored ? errorType(this.errored) : status === undefined ? 'aborted' : undefined
    const decided = this[kLane]
    const lane = decided === undefined ? parseLane(this.getHeader(header)) : (decided ?? undefined)
    record(this[kStarted] ?? 0, lane, this.method, status, error)
  }

  const exchanges = new WeakMap<object, Exchange>()

  function onUndiciCreate(message: unknown): void {
    const { request } = message as { request: UndiciRequest }
    if (isSuppressed(context.active())) return
    const lane = parseLane(undiciHeader(request, header))
    exchanges.set(request, { started: performance.now(), lane, status: undefined })
  }

  function onUndiciHeaders(message: unknown): void {
    const { request, response } = message as { request: object; response: { statusCode: number } }
    const exchange = exchanges.get(request)
    if (exchange !== undefined) exchange.status = response.statusCode
  }

  function onUndiciEnd(message: unknown): void {
    const { request, error } = message as { request: UndiciRequest; error?: unknown }
    const exchange = exchanges.get(request)
    if (exchange === undefined || !exchanges.delete(request)) return
    const type = error === undefined ? undefined : errorType(error)
    record(exchange.started, exchange.lane, request.method, exchange.status, type)
  }

  const subscriptions = [
    ['http.client.request.start', onHttpStart],
    ['undici:request:create', onUndiciCreate],
    ['undici:request:headers', onUndiciHeaders],
    ['undici:request:trailers', onUndiciEnd],
    ['undici:request:error', onUndiciEnd],
  ] as const
  for (const [name, listener] of subscriptions) subscribe(name, listener)
  return () => {
    for (const [name, listener] of subscriptions) unsubscribe(name, listener)
  }
}
