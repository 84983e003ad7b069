import type { ServerInterceptor } from '@grpc/grpc-js'
import type { IngressOptions } from '@laneway/core'
import { createIngress, isDisabled } from '@laneway/core/internal'
import { assertMetadataKey } from '../lane-channel-options.js'
import { LaneServerCall } from './lane-server-call.js'

/**
 * Runs each call of a `@grpc/grpc-js` server in its lane: the handler, what it awaits, and the events of its stream.
 * `currentLane()` of `@laneway/core` returns the lane. A tag that is refused is not in the metadata that the handler sees. Put
 * it first into `interceptors`, so that the others run in the lane too.
 *
 * A server that `laneServer` of `@laneway/http` or the preload `@laneway/register` serves needs no interceptor; with both,
 * a call is counted once, and what the interceptor says holds.
 *
 * Under `LANEWAY_DISABLE` with `all` or `ingress` it passes every call on as it is.
 *
 * @param options - how the lane is read and who may set it; `rules` and a `trust` function get an object with the metadata as
 *   `headers`, and `url` (`/package.Service/Method`)
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a call never causes one
 */
export function laneInterceptor(options: IngressOptions = {}): ServerInterceptor {
  if (isDisabled(['ingress'])) return (_method, call) => call as ReturnType<ServerInterceptor>
  assertMetadataKey('laneInterceptor', options.header)
  const ingress = createIngress('laneInterceptor', options)

  return function laneInterceptor(method, call) {
    return new LaneServerCall(call, ingress, method.path)
  }
}
