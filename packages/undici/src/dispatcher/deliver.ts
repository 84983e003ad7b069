import type { DispatchHandler } from './dispatcher.js'

/**
 * Ends a request with an error, by the method of the handler's own generation, as undici does when it refuses options.
 */
export function deliverError(handler: DispatchHandler, error: unknown): void {
  if (typeof handler.onRequestStart === 'function' || typeof handler.onError !== 'function') {
    if (typeof handler.onResponseError !== 'function') throw error
    handler.onResponseError(null, error)
  } else handler.onError(error)
}
