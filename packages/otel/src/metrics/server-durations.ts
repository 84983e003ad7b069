import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { decisionOf } from '@laneway/core/internal'
import type { Histogram } from '@opentelemetry/api'
import type { LaneLabels } from './lane-labels.js'
import { requestAttributes } from './request-attributes.js'

const START = 'http.server.request.start'
const kStarted = Symbol('laneway.started')

type StartedResponse = ServerResponse & { [kStarted]?: number }

/**
 * Measures the requests that a Laneway ingress decided on servers of `node:http`, from their head to the end of the
 * response; a client that goes away before counts with `error.type` `aborted`. Metrics and health checks on servers
 * without an ingress are left out.
 *
 * @returns ends it
 */
export function measureServers(histogram: Histogram, labels: LaneLabels): () => void {
  function onStart(message: unknown): void {
    const { response } = message as { response: StartedResponse }
    response[kStarted] = performance.now()
    response.once('close', onClose)
  }

  function onClose(this: StartedResponse): void {
    const request = this.req as IncomingMessage
    const decision = decisionOf(request)
    if (decision === undefined) return
    const seconds = (performance.now() - (this[kStarted] ?? 0)) / 1000
    const lane = labels.of(decision.lane)
    const status = this.headersSent ? this.statusCode : undefined
    const error = this.writableFinished ? undefined : 'aborted'
    histogram.record(seconds, requestAttributes(lane, labels.own, request.method, status, error))
  }

  subscribe(START, onStart)
  return () => unsubscribe(START, onStart)
}
