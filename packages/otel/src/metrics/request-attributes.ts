import type { Attributes } from '@opentelemetry/api'
import { INSTANCE_LANE_ATTRIBUTE, LANE_ATTRIBUTE } from '../spans/attributes.js'

// https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/: other methods count as one.
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/**
 * Attributes of a duration, with the names of OpenTelemetry's semantic conventions where they have one.
 *
 * @param status - `undefined` when no response came
 * @param error - code or name of the error, when the request failed
 */
export function requestAttributes(
  lane: string,
  instanceLane: string,
  method: unknown,
  status: number | undefined,
  error: string | undefined,
): Attributes {
  const attributes: Attributes = {
    [LANE_ATTRIBUTE]: lane,
    [INSTANCE_LANE_ATTRIBUTE]: instanceLane,
    'http.request.method': typeof method === 'string' && METHODS.has(method) ? method : '_OTHER',
  }
  if (status !== undefined) attributes['http.response.status_code'] = status
  if (error !== undefined) attributes['error.type'] = error
  else if (status !== undefined && status >= 500) attributes['error.type'] = String(status)
  return attributes
}

/** The name of an error as a label: its code, else its class. */
export function errorType(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
}
