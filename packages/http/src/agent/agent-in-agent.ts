import { Agent, type ClientRequest } from 'node:http'
import { type AgentInternals, type AnyAgent, type HopOptions, hopOptions } from '../node-internals.js'
import { hooksOf } from '../request/request-hooks.js'

const kLead = Symbol('laneway.lead')

/** Set on an `addRequest` that routes by itself; registered, because two copies of this package may meet. */
export const kRouting: unique symbol = Symbol.for('laneway.http.routing') as never

/**
 * Sends a request of an agent in front, which is a mock, as the agent behind would.
 *
 * @param addRequest - that of the agent in front
 */
export type LeadBehind = (
  front: AnyAgent,
  request: ClientRequest,
  options: HopOptions,
  addRequest: AgentInternals['addRequest'],
) => void

interface LeadingAgent {
  [kLead]?: LeadBehind
}

let watching = false

/**
 * Mocks put an agent of their own in place of the caller's and keep that one as a property. The mock has to see the tag
 * all the same, and what it lets through goes to an endpoint. Nothing tells of a request before its agent is asked, so
 * `addRequest` of `http.Agent` looks.
 */
export function leadBehindOthers(agent: object, lead: LeadBehind): void {
  ;(agent as LeadingAgent)[kLead] = lead
  if (watching) return
  watching = true
  const node = Agent.prototype as unknown as AgentInternals
  node.addRequest = lookingBehind(node.addRequest)
}

function lookingBehind(original: AgentInternals['addRequest']): AgentInternals['addRequest'] {
  return function addRequest(this: AnyAgent, request: ClientRequest, options: any, ...more: unknown[]): void {
    const lead = hooksOf(request) === undefined && !routes(original) ? agentBehind(this) : undefined
    if (lead === undefined) Reflect.apply(original, this, [request, options, ...more])
    else lead(this, request, hopOptions(options, ...more), original)
  }
}

const routes = (addRequest: object) => (addRequest as { [kRouting]?: true })[kRouting] === true

function agentBehind(agent: AnyAgent): LeadBehind | undefined {
  // What connects in Node's way stands before nobody.
  if ((agent as LeadingAgent)[kLead] !== undefined || connectsAsNode(agent)) return undefined
  for (const behind of Object.values(agent)) {
    const lead = (Object(behind) as LeadingAgent)[kLead]
    if (lead !== undefined) return lead
  }
  return undefined
}

/** Whether an agent makes its connections as `http.Agent` does; a mock does not. */
export function connectsAsNode(agent: AnyAgent): boolean {
  return (agent.createConnection as unknown) === PLAIN
}

const PLAIN: unknown = (Agent.prototype as unknown as { createConnection: unknown }).createConnection
