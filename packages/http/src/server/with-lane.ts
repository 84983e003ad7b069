import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createIngress, type Emitter, type IngressOptions, type IngressRequest, runRequest } from '@laneway/core'
import type { WithLane } from './lane-request.js'

type Handler = (request: any, response: any) => any

/**
 * Wraps the handler of an HTTP server, so that each request runs in its lane: the handler, everything it awaits, and the
 * listeners it adds to request and response. `req.lane` is the lane. Works for `node:http`, `node:https` and the
 * compatibility API of `node:http2`. Events that are no `request` (`upgrade`, `connect`) need `laneServer`.
 *
 * @param handler - the one for `createServer`; called with the same `this` and arguments
 * @param options - how the lane is read and who may set it
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a request never causes one
 */
export function withLane(
  handler: (request: IncomingMessage & WithLane, response: ServerResponse) => unknown,
  options?: IngressOptions,
): (request: IncomingMessage, response: ServerResponse) => void
export function withLane(
  handler: (request: Http2ServerRequest & WithLane, response: Http2ServerResponse) => unknown,
  options?: IngressOptions,
): (request: Http2ServerRequest, response: Http2ServerResponse) => void
export function withLane(handler: Handler, options: IngressOptions = {}): Handler {
  const ingress = createIngress('withLane', options)
  return function laneHandler(this: unknown, request: IngressRequest & Emitter & WithLane, response: Emitter) {
    const decision = ingress(request)
    request.lane = decision.lane
    runRequest(decision, request, response, call, handler, this, request, response)
  }
}

function call(handler: Handler, self: unknown, request: unknown, response: unknown): void {
  handler.call(self, request, response)
}
