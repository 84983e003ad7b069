import { isDisabled, isLeftAlone } from '@laneway/core/internal'
import { type LaneChannelOptions, resolveLaneChannelOptions } from '../lane-channel-options.js'
import { type TransportArguments, TransportCall } from './transport-call.js'
import { type AnyTransport, TransportRoute, type TransportTarget } from './transport-route.js'

/** Options of {@link laneTransport}: those of `laneChannel` but for the time of a connection, which is the transport's own. */
export type LaneTransportOptions = Omit<LaneChannelOptions, 'connectTimeoutMs'>

/**
 * A transport of `@connectrpc/connect` whose calls go to endpoints of their lane and carry its tag. It is needed over HTTP/2;
 * a transport over HTTP/1.1 goes through `node:http` or `fetch`, which `@laneway/http` and `@laneway/undici` serve.
 *
 * Under `LANEWAY_DISABLE` with `all` or `grpc` it is the one transport that `create` makes for `baseUrl`.
 *
 * @param baseUrl - its host names a service of the resolver
 * @param create - makes a transport; called once for each endpoint, and once for a host that is no service
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, when called; a call without an endpoint rejects with
 *   `LANEWAY_LANE_REQUIRED`, `LANEWAY_NO_BASE`, `LANEWAY_NO_INSTANCES`, `LANEWAY_NOT_READY` or `LANEWAY_OVERLOADED`
 */
export function laneTransport<T extends AnyTransport>(
  baseUrl: string,
  create: (target: TransportTarget) => T,
  options: LaneTransportOptions = {},
): T {
  if (isDisabled(['grpc'])) return create({ baseUrl, nodeOptions: {} })
  const route = new TransportRoute(baseUrl, create, resolveLaneChannelOptions('laneTransport', options))
  const transport: AnyTransport = {
    unary: (...args) =>
      isLeftAlone()
        ? route.plain().unary(...args)
        : new TransportCall(route, 'unary', args as unknown as TransportArguments).run(),
    stream: (...args) =>
      isLeftAlone()
        ? route.plain().stream(...args)
        : new TransportCall(route, 'stream', args as unknown as TransportArguments).run(),
  }
  return transport as T
}
