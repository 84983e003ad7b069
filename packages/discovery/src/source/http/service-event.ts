import type { EndpointInput } from '../../endpoint/endpoint.js'
import type { StreamEvent } from './event-stream.js'

/** What an endpoints server says about one service. */
export type ServiceEvent =
  | {
      readonly type: 'snapshot'
      readonly service: string
      readonly version: string
      readonly endpoints: EndpointInput[]
    }
  | { readonly type: 'missing'; readonly service: string; readonly version: string }
  /** The server has lost its registry. What it said last stays. */
  | { readonly type: 'stale'; readonly service: string; readonly error: string }
  /** The version that is known is the newest, and up to date. */
  | { readonly type: 'current'; readonly service: string }

/** The server makes 10 to 24 characters; they stand in each request. */
const MAX_VERSION = 100
/** As many as a resolver accepts for a service. */
const MAX_ENDPOINTS = 100_000

/**
 * Reads an event. An endpoint without a list of tags refuses the whole list: it must not be taken for base. A list that is
 * refused makes its service stale, and no other one.
 *
 * @returns `undefined` for types that a newer server may have
 * @throws TypeError, SyntaxError
 */
export function readServiceEvent({ type, data }: StreamEvent): ServiceEvent | undefined {
  if (type !== 'snapshot' && type !== 'missing' && type !== 'stale' && type !== 'current') return undefined
  const body = JSON.parse(data) as Record<string, unknown> | null
  const { service, version, error, endpoints } = body ?? {}
  if (typeof service !== 'string') throw new TypeError(`an event ${type} without service`)
  if (type === 'current') return { type, service }
  if (type === 'stale')
    return { type, service, error: typeof error === 'string' ? error.slice(0, 1000) : 'no reason given' }
  if (typeof version !== 'string' || version === '' || version.length > MAX_VERSION) {
    return { type: 'stale', service, error: `an event ${type} has no version` }
  }
  if (type === 'missing') return { type, service, version }
  if (!Array.isArray(endpoints) || endpoints.length > MAX_ENDPOINTS || !endpoints.every(isEndpoint)) {
    return { type: 'stale', service, error: `what it sent is no list of at most ${MAX_ENDPOINTS} endpoints with tags` }
  }
  return { type, service, version, endpoints }
}

function isEndpoint(value: unknown): value is EndpointInput {
  const { host, port, tags } = (value ?? {}) as { host?: unknown; port?: unknown; tags?: unknown }
  const isTags = Array.isArray(tags) && tags.every(tag => typeof tag === 'string')
  return typeof host === 'string' && typeof port === 'number' && isTags
}
