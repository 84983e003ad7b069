import type { Exchange, ExchangeEnd } from '../exchange/exchange.js'
import type { AccessLogEntry } from './access-log.js'
import type { Measured } from './metrics.js'

/** What the metrics count of a request. */
export function measuredOf({ backend, lane, rule }: Exchange, end: ExchangeEnd): Measured {
  const { choice } = end
  const isOfRoute = rule?.lane === lane || backend?.lane === lane
  return {
    route: backend?.route ?? '_none',
    lane: lane?.header,
    laneIsKnown: lane !== undefined && (isOfRoute || choice?.served === lane.header),
    served: choice?.served,
    outcome: choice?.outcome ?? outcomeWithoutChoice(backend !== undefined, end.error),
    status: end.status,
    seconds: end.seconds,
    requestBytes: end.requestBytes,
    responseBytes: end.responseBytes,
  }
}

function outcomeWithoutChoice(isRouted: boolean, error: string | undefined): string {
  if (!isRouted) return 'none'
  return error === 'not-ready' ? 'not-ready' : 'outside'
}

/** What the access log says of a request. */
export function entryOf({ backend, lane, rule }: Exchange, end: ExchangeEnd): AccessLogEntry {
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
