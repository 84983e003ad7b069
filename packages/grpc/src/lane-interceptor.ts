import { ServerInterceptingCall, type ServerInterceptingCallInterface, type ServerInterceptor } from '@grpc/grpc-js'
import type { IngressOptions, IngressRequest } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import type { GrpcMetadata } from './grpc-js.js'
import { resolveMetadataKey } from './lane-channel-options.js'
import { ServerLane, type ServerListener } from './server-lane.js'
import { ServerRequest } from './server-request.js'

/** The request that an http2 server has decided about, on its stream; set by `@laneway/http`. */
const kStreamRequest = Symbol.for('laneway.http2.request')

/**
 * Runs each call of a `@grpc/grpc-js` server in its lane: the handler, what it awaits, and the events of its stream.
 * `currentLane()` of `@laneway/core` tells the lane. A tag that is refused is not in the metadata that the handler sees. Put
 * it first into `interceptors`, so that the others run in the lane too.
 *
 * A server that `laneServer` of `@laneway/http` or the preload `@laneway/register` serves needs no interceptor; with both,
 * a call is counted once, and what the interceptor says holds.
 *
 * @param options - how the lane is read and who may set it; `rules` and a `trust` function get an object with the metadata as
 *   `headers`, and `url` (`/package.Service/Method`)
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a call never causes one
 */
export function laneInterceptor(options: IngressOptions = {}): ServerInterceptor {
  resolveMetadataKey('laneInterceptor', options.header)
  const ingress = createIngress('laneInterceptor', options)

  class LaneServerCall extends ServerInterceptingCall {
    readonly #lane: ServerLane

    constructor(call: ServerInterceptingCallInterface, path: string) {
      super(call)
      const { stream } = call as { stream?: { [kStreamRequest]?: IngressRequest } }
      this.#lane = new ServerLane(metadata => {
        const request =
          stream?.[kStreamRequest] ?? new ServerRequest(metadata as unknown as GrpcMetadata, path, call.getPeer())
        const decision = ingress(request)
        if (decision.stripped) ServerRequest.write(request, metadata)
        return decision.lane
      })
    }

    override start(listener: Parameters<ServerInterceptingCall['start']>[0]): void {
      super.start(this.#lane.listen(listener as unknown as ServerListener) as never)
    }

    override sendMessage(message: unknown, callback: () => void): void {
      super.sendMessage(message, this.#lane.bind(callback))
    }
  }

  return function laneInterceptor(method, call) {
    return new LaneServerCall(call, method.path)
  }
}
