import {
  MAX_TIMER_MS,
  milliseconds,
  numeric,
  type Option,
  type OptionTable,
  readOptions,
  unchecked,
} from '@laneway/core/internal'

/** Passive ejection of endpoints that cannot be connected to, do not answer in time or, if you want, answer with errors. */
export interface OutlierOptions {
  /**
   * Failures in a row that eject an endpoint: no connection, or no answer within the caller's time.
   * @default 5, as Envoy's: one lost packet is no outage
   */
  readonly consecutiveFailures?: number
  /**
   * Responses of status 500 to 599 in a row that eject an endpoint; 0: statuses do not count. In gRPC: `INTERNAL`,
   * `UNKNOWN`, `UNIMPLEMENTED`, `DATA_LOSS`, `UNAVAILABLE` and `DEADLINE_EXCEEDED` from the server.
   * @default 0. Envoy has 5; but an application that answers some requests with 500 would lose healthy endpoints
   */
  readonly consecutive5xx?: number
  /**
   * Responses of status 502, 503 or 504 in a row that eject an endpoint; 0: they do not count. In gRPC: `UNAVAILABLE` and
   * `DEADLINE_EXCEEDED` from the server.
   * @default 0, as in Envoy, which counts them and ejects nothing until it is told to
   */
  readonly consecutiveGatewayErrors?: number
  /**
   * Length of the first ejection in milliseconds; doubles with each ejection that no success follows.
   * @default 1000, because a restarted instance should not wait long for its traffic
   */
  readonly ejectionMs?: number
  /**
   * Longest ejection in milliseconds.
   * @default 30000
   */
  readonly maxEjectionMs?: number
  /**
   * Largest share of the endpoints of base, or of one lane, that is ejected at a time. One endpoint of a lane may always be
   * ejected when it cannot be connected to, because base serves in its place. The last endpoint of base is never ejected.
   *
   * Timeouts and statuses eject at most a tenth of the endpoints, and one where a tenth is less than one, but never the last
   * usable endpoint: a slow endpoint may be overloaded, and the others get its share. When most of the others fail, too, all
   * of these return, and for `maxEjectionMs` none is ejected for such failures.
   * @default 0.5, because losing half is rather this client's network than the endpoints. Envoy and gRPC have 0.1 for
   * everything; but an endpoint that refuses connections serves nobody, so its ejection overloads nobody
   */
  readonly maxEjectedShare?: number
}

const OUTLIER = {
  consecutiveFailures: numeric(5, 1, 1e6),
  consecutive5xx: numeric(0, 0, 1e6),
  consecutiveGatewayErrors: numeric(0, 0, 1e6),
  ejectionMs: milliseconds(1000, 1),
  maxEjectionMs: unchecked(),
  maxEjectedShare: numeric(0.5, 0, 1),
} satisfies OptionTable<OutlierOptions>

export const outlier: Option<Required<OutlierOptions> | undefined> = (value, place) => {
  if (value === false) return undefined
  const read = readOptions(place, value ?? {}, OUTLIER)
  const { ejectionMs } = read
  const longest = milliseconds(Math.max(30_000, ejectionMs), ejectionMs, MAX_TIMER_MS)
  return Object.freeze({
    ...read,
    consecutiveFailures: Math.floor(read.consecutiveFailures),
    consecutive5xx: Math.floor(read.consecutive5xx),
    consecutiveGatewayErrors: Math.floor(read.consecutiveGatewayErrors),
    maxEjectionMs: longest(read.maxEjectionMs, place.at('maxEjectionMs')),
  })
}
