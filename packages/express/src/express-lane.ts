import type { Emitter, IngressOptions, IngressRequest, Lane } from '@laneway/core'
import {
  createIngress,
  guardExpressLayers,
  hintAtLateMiddleware,
  isDisabled,
  resolveHeaderNames,
  runRequest,
} from '@laneway/core/internal'
import { reserveProperties } from './reserve-properties.js'

declare global {
  namespace Express {
    interface Request {
      /** The lane of this request; `undefined` for base, and before `expressLane` ran. */
      lane?: Lane | undefined
    }
  }
}

/** Options of {@link expressLane}. */
export interface ExpressLaneOptions extends IngressOptions {}

/** What an Express 4 or 5 application takes as a middleware, without the types of either. */
export type ExpressLane = (
  request: IngressRequest & Emitter & { lane?: Lane | undefined },
  response: Emitter,
  next: () => void,
) => void

/**
 * Creates the middleware that runs every request in its lane: the handlers behind it, what they await, and the listeners
 * they add to request and response. `req.lane` holds the lane.
 *
 * Mount it first, before what reads the request or calls out. From its first request on, every handler of the
 * application runs in the lane of its request, also behind a middleware that calls `next` in another context. Mounted
 * again, on a router or a sub-app, it changes no decision.
 *
 * The middleware never throws and never answers a request. Under `LANEWAY_DISABLE` with `all`, `ingress` or `express` it only calls
 * `next`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` when the options or this instance's tag are wrong
 */
export function expressLane(options: ExpressLaneOptions = {}): ExpressLane {
  if (isDisabled(['ingress', 'express'])) return (_request, _response, next) => next()
  const ingress = createIngress('expressLane', options)
  const [header] = resolveHeaderNames('expressLane', options.header)
  hintAtLateMiddleware(
    header,
    'call app.use(expressLane()) before app.get(), app.use() of routers and the like',
    options.warn,
  )
  return function laneMiddleware(request, response, next) {
    const decision = ingress(request)
    guardExpressLayers(request)
    reserveProperties(request)
    // Only where it differs: see `reserveProperties`.
    if (request.lane !== decision.lane) request.lane = decision.lane
    runRequest(decision, request, response, next)
  }
}
