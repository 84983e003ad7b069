import { Agent, type ClientRequest } from 'node:http'
import { type AgentInternals, type AnyAgent, type HopOptions, hopOptions } from '../node-internals.js'
import { hooksOf } from '../request/request-hooks.js'

const kRoute = Symbol('laneway.route')

/** Set on an `addRequest` that routes by itself; registered, because two copies of this package may meet. */
export const kRouting: unique symbol = Symbol.for('laneway.http.routing') as never

/**
 * Sends a request as the agent behind would. The agent in front is a mock.
 *
 * @param addRequest - that of the agent in front
 */
export type RouteBehind = (
  front: AnyAgent,
  request: ClientRequest,
  options: HopOptions,
  addRequest: AgentInternals['addRequest'],
) => void

interface RoutingAgent {
  [kRoute]?: RouteBehind
}

let watching = false

/**
 * Routes the requests of mocks that put an agent of their own in front of the caller's and keep that one as a property. Such a
 * mock has to see the tag, and a request that it passes on goes to an endpoint. The first that Node shows of a request is the
 * question to its agent, so `addRequest` of `http.Agent` looks for an agent behind.
 */
export function routeBehindMocks(agent: object, route: RouteBehind): void {
  ;(agent as RoutingAgent)[kRoute] = route
  if (watching) return
  watching = true
  const node = Agent.prototype as unknown as AgentInternals
  node.addRequest = lookingBehind(node.addRequest)
}

function lookingBehind(original: AgentInternals['addRequest']): AgentInternals['addRequest'] {
  return function addRequest(this: AnyAgent, request: ClientRequest, options: any, ...more: unknown[]): void {
    const route = hooksOf(request) === undefined && !routesByItself(original) ? agentBehind(this) : undefined
    if (route === undefined) Reflect.apply(original, this, [request, options, ...more])
    else route(this, request, hopOptions(options, ...more), original)
  }
}

const routesByItself = (addRequest: object) => (addRequest as { [kRouting]?: true })[kRouting] === true

function agentBehind(agent: AnyAgent): RouteBehind | undefined {
  // An agent that connects as Node does stands in front of none.
  if ((agent as RoutingAgent)[kRoute] !== undefined || connectsAsNode(agent)) return undefined
  for (const behind of Object.values(agent)) {
    const route = (Object(behind) as RoutingAgent)[kRoute]
    if (route !== undefined) return route
  }
  return undefined
}

/** Whether an agent makes its connections as `http.Agent` does; a mock does not. */
export function connectsAsNode(agent: AnyAgent): boolean {
  return (agent.createConnection as unknown) === PLAIN
}

const PLAIN: unknown = (Agent.prototype as unknown as { createConnection: unknown }).createConnection
