import { DEFAULT_HEADER } from '@laneway/core/internal'

/**
 * Anything that has headers: a request of `fakeLanes`, `node:http`, Express or Fastify; a `Request` as msw has it; `this.req`
 * of nock; what MockAgent gives to a `reply` function, and an entry of its call history.
 */
export interface LaneCarrier {
  readonly headers?: unknown
  getHeader?(name: string): unknown
}

/** The different values that a request carries as its lane, as on the wire; empty for none. */
export function laneValues(carrier: LaneCarrier, header: string = DEFAULT_HEADER): readonly string[] {
  const { headers } = carrier
  const found = headers === undefined || headers === null ? carrier.getHeader?.(header) : valueIn(headers, header)
  const list = Array.isArray(found) ? found : [found]
  return [...new Set(list.filter(value => value !== undefined && value !== null).map(String))]
}

/** The lane that a request carries; `undefined` for none. */
export function laneText(carrier: LaneCarrier, header: string): string | undefined {
  const values = laneValues(carrier, header)
  return values.length === 0 ? undefined : values.join(', ')
}

function valueIn(headers: object, header: string): unknown {
  if (typeof (headers as Headers).get === 'function') return (headers as Headers).get(header)
  return pairsOf(headers)
    .filter(([name]) => String(name).toLowerCase() === header)
    .flatMap(([, value]) => value)
}

/** undici takes headers as an object, as pairs, or as one list of names and values. */
function pairsOf(headers: object): readonly (readonly [unknown, unknown])[] {
  if (!Array.isArray(headers)) return Object.entries(headers)
  if (Array.isArray(headers[0])) return headers
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]] as const] : []))
}
