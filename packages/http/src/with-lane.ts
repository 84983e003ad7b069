import { createIngress, type Emitter, type IngressOptions, type IngressRequest, runRequest } from '@laneway/core'
import type { WithLane } from './lane-request.js'

/**
 * Wraps the handler of an HTTP server, so that each request runs in its lane: the handler, everything it awaits, and the
 * listeners it adds to request and response. `req.lane` tells the lane. Works for `node:http`, `node:https` and the
 * compatibility API of `node:http2`; a whole server, upgrades included, is better served by {@link laneServer}.
 *
 * @param handler - what goes into `createServer`; called with the same `this` and arguments
 * @param options - how the lane is read and who may set it
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a request never causes one
 */
export function withLane<Q extends IngressRequest & Emitter, S extends Emitter>(
  handler: (request: Q & WithLane, response: S) => unknown,
  options: IngressOptions = {},
): (request: Q, response: S) => void {
  const ingress = createIngress('withLane', options)
  return function laneHandler(this: unknown, request: Q, response: S) {
    const decision = ingress(request)
    ;(request as Q & WithLane).lane = decision.lane
    runRequest(decision, request, response, call<Q & WithLane, S>, handler, this, request as Q & WithLane, response)
  }
}

function call<Q, S>(handler: (request: Q, response: S) => unknown, self: unknown, request: Q, response: S): void {
  handler.call(self, request, response)
}
