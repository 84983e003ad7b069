import type { ClientRequest } from 'node:http'
import type { EgressResolver } from '@laneway/discovery'
import { classOf, type HopOptions } from '../node-internals.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import type { Target } from '../request/target.js'
import { connectOutside } from './bypass-proxy.js'
import type { HopAgent } from './hop-agent.js'
import { ServiceHop } from './service-hop.js'

/** The service that a target names. Plain HTTP reaches an https target only through its proxy. */
export function serviceOf(resolver: EgressResolver | undefined, target: Target, secure: boolean): string | undefined {
  if (resolver === undefined || target.tunnel || (target.secure && !secure)) return undefined
  return resolver.match(target.hostname, target.port, target.secure)
}

/**
 * Sends a request to an endpoint of a service. An error that the resolver throws ends the request, or goes to `onFault`.
 *
 * @param options - of the connection, which are changed as the request goes on
 */
export function sendToService(
  agent: HopAgent,
  request: ClientRequest,
  outgoing: OutgoingLane,
  service: string,
  options: HopOptions,
): ServiceHop | undefined {
  let hop: ServiceHop
  try {
    hop = new ServiceHop(agent, request, outgoing, service, options)
  } catch (error) {
    outgoing.watcher = undefined
    if (agent.onFault === undefined) classOf(request).onSocket.call(request, undefined, error as Error)
    else {
      agent.onFault(error)
      connectOutside(outgoing.hop, request, agent.connect)
    }
    return undefined
  }
  hop.begin()
  return hop
}
