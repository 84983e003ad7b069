import type { ClientRequest } from 'node:http'
import { kHop, type ServiceHop } from '../hop/service-hop.js'
import {
  type AnyAgent,
  type CreateConnection,
  connectDirectly,
  type HopOptions,
  type OnCreated,
} from '../node-internals.js'
import { hooksOf, inLane } from '../request/request-hooks.js'
import { EndpointConnection } from '../sockets/endpoint-connection.js'

/** Set on the options of a connection that must be plain TCP although its agent speaks TLS. */
export const kPlain: unique symbol = Symbol('laneway.plain')

/**
 * `agent.createSocket`: opens the connection for a request in the lane of that request, where Node does it in the context
 * of the request before it; and leads a connection for a request to a service to its endpoint.
 *
 * @param create - connects in place of the agent, which would go through a proxy
 */
export function createSocket(
  agent: AnyAgent,
  original: (request: ClientRequest, options: HopOptions, callback: OnCreated) => void,
  create: CreateConnection | undefined,
  timeoutMs: number,
  request: ClientRequest,
  options: HopOptions,
  callback: OnCreated,
): void {
  const hop = options[kHop] as ServiceHop | undefined
  if (hop !== undefined) interceptOnce(agent, hop, create, timeoutMs)
  const hooks = hooksOf(request)
  if (hooks === undefined) original.call(agent, request, options, callback)
  else inLane(hooks.caller, original, agent, [request, options, callback])
}

/** What the agent is about to call has no argument that tells the request, and may be a method of the user's own. */
function interceptOnce(
  agent: AnyAgent,
  hop: ServiceHop,
  direct: CreateConnection | undefined,
  timeoutMs: number,
): void {
  const own = Object.getOwnPropertyDescriptor(agent, 'createConnection')
  const before = agent.createConnection
  agent.createConnection = function createToEndpoint(options, callback) {
    if (own === undefined) delete (agent as { createConnection?: unknown }).createConnection
    else Object.defineProperty(agent, 'createConnection', own)
    const secure = hop.connectsSecurely()
    const create = secure ?? (options[kPlain] === true ? connectDirectly : (direct ?? before))
    const connection = new EndpointConnection(agent, hop, timeoutMs)
    connection.secure = secure !== undefined
    return connection.open(create, agent, options, callback)
  }
}
