import type { EndpointInput } from './endpoint.js'

const lasting = new WeakSet<object>()

/**
 * Freezes an endpoint, for a source that reports the same object again for as long as the endpoint stays as it is: the
 * resolver then recognizes it without comparing it (benchmark case discovery/rebuild).
 *
 * @param endpoint - a plain object that the source has made; the lists and the metadata in it are frozen already
 * @returns the same object
 */
export function lastingEndpoint(endpoint: EndpointInput): EndpointInput {
  lasting.add(Object.freeze(endpoint))
  return endpoint
}

/** An endpoint as a source reports it, if it can never change. */
export function lastingOf(endpoint: unknown): object | undefined {
  return lasting.has(endpoint as object) ? (endpoint as object) : undefined
}
