import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Emitter, IngressOptions } from '@laneway/core'
import { createIngress, type IngressRequest, isDisabled, runRequest } from '@laneway/core/internal'
import type { HasLane } from './lane-request.js'

type Handler = (request: any, response: any) => any

/**
 * Wraps the handler of an HTTP server, so that each request runs in its lane: the handler, everything it awaits, and the
 * listeners it adds to request and response. `req.lane` is the lane. Works for `node:http`, `node:https` and the
 * compatibility API of `node:http2`. What does not come as a request (`upgrade`, `connect`) needs `laneServer`. Under
 * `LANEWAY_DISABLE` with `all` or `ingress` the result is the handler itself.
 *
 * @param handler - what goes into `createServer`; called with the same `this` and arguments
 * @param options - how the lane is read and who may set it
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a request never causes one
 */
export function laneHandler(
  handler: (request: IncomingMessage & HasLane, response: ServerResponse) => unknown,
  options?: IngressOptions,
): (request: IncomingMessage, response: ServerResponse) => void
export function laneHandler(
  handler: (request: Http2ServerRequest & HasLane, response: Http2ServerResponse) => unknown,
  options?: IngressOptions,
): (request: Http2ServerRequest, response: Http2ServerResponse) => void
export function laneHandler(handler: Handler, options: IngressOptions = {}): Handler {
  if (isDisabled(['ingress'])) return handler
  const ingress = createIngress('laneHandler', options)
  return function handleInLane(this: unknown, request: IngressRequest & Emitter & HasLane, response: Emitter) {
    const decision = ingress(request)
    request.lane = decision.lane
    runRequest(decision, request, response, call, handler, this, request, response)
  }
}

function call(handler: Handler, self: unknown, request: unknown, response: unknown): void {
  handler.call(self, request, response)
}
