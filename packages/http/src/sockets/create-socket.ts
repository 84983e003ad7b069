import type { ClientRequest } from 'node:http'
import {
  type AgentInternals,
  type AnyAgent,
  type CreateConnection,
  connectDirectly,
  type HopOptions,
  type OnCreated,
} from '../node-internals.js'
import { hooksOf, inLane } from '../request/request-hooks.js'
import { type ConnectionOwner, EndpointConnection } from './endpoint-connection.js'

/** The request to a service that a connection is opened for, set on the options of the connection. */
export const kHop: unique symbol = Symbol('laneway.hop')

/** Set on the options of a connection that must be plain TCP although its agent speaks TLS. */
export const kPlain: unique symbol = Symbol('laneway.plain')

/** A request to a service, whose connection is led to an endpoint. */
export interface SteeredHop extends ConnectionOwner {
  /** Makes the connection when the URL says http and the endpoint speaks TLS. */
  connectsSecurely(): CreateConnection | undefined
}

/** How an agent opens connections. */
export interface SocketWay {
  readonly agent: AnyAgent
  /** `createSocket` of its class. */
  readonly open: AgentInternals['createSocket']
  /** Connects in place of the agent, which would go through a proxy. */
  readonly direct: CreateConnection | undefined
  /** How long a connection to an endpoint may take. */
  readonly timeoutMs: number
}

/**
 * `agent.createSocket`: opens the connection for a request in the lane of that request, where Node does it in the context of
 * the request before it. The connection for a request to a service leads to its endpoint.
 */
export function createSocket(way: SocketWay, request: ClientRequest, options: HopOptions, callback: OnCreated): void {
  const { agent, open } = way
  const hop = options[kHop] as SteeredHop | undefined
  if (hop !== undefined) interceptOnce(way, hop)
  const hooks = hooksOf(request)
  if (hooks === undefined) open.call(agent, request, options, callback)
  else inLane(hooks.caller, open, agent, [request, options, callback])
}

/** The agent calls `createConnection` next. That method gets no request, and may be the user's own. */
function interceptOnce({ agent, direct, timeoutMs }: SocketWay, hop: SteeredHop): void {
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
