import type { ClientRequest } from 'node:http'
import type { EndpointTls } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { connectsAsNode } from '../mock/agent-in-agent.js'
import type { AgentInternals, AnyAgent, HopOptions } from '../node-internals.js'
import type { ResolvedLaneAgentOptions } from '../options.js'
import type { EndpointSockets } from '../sockets/endpoint-sockets.js'
import { mayMeetTls } from '../sockets/secure-endpoint.js'

/** What the requests of one agent to services have in common. */
export interface HopAgent {
  readonly resolver: EgressResolver
  readonly endpointTls: EndpointTls | undefined
  /** An endpoint may turn out to speak TLS, so that a request must not have a socket before its endpoint is known. */
  readonly mayMeetTls: boolean
  /** See `ResolvedLaneAgentOptions`. */
  readonly onFault: ((error: unknown) => void) | undefined
  /** `undefined` for a request without an agent. */
  readonly agent: AnyAgent | undefined
  /**
   * The agent connects to the origin through a proxy of its own: a request whose target may turn out to be no service must
   * not have a socket before that is known.
   */
  readonly late: boolean
  /** Notes the connections that the agent keeps. */
  readonly sockets: EndpointSockets | undefined
  /** Asks the agent for a socket: `http.Agent.prototype.addRequest`. */
  connect(request: ClientRequest, options: HopOptions): void
}

/** How an agent gives requests their sockets. */
export interface HopAgentParts {
  readonly agent: AnyAgent
  readonly late: boolean
  readonly sockets: EndpointSockets
  readonly addRequest: AgentInternals['addRequest']
}

export function createHopAgent(
  { endpointTls, onFault }: ResolvedLaneAgentOptions,
  resolver: EgressResolver,
  { agent, late, sockets, addRequest }: HopAgentParts,
): HopAgent {
  return {
    resolver,
    endpointTls,
    // A mock answers without a registry, and makes its own connections anyway.
    mayMeetTls: connectsAsNode(agent) && mayMeetTls(endpointTls),
    onFault,
    agent,
    late,
    sockets,
    connect: addRequest.bind(agent),
  }
}

/** For requests that ask for their connection by themselves. */
export function hopWithoutAgent(
  { endpointTls, onFault }: ResolvedLaneAgentOptions,
  resolver: EgressResolver,
): HopAgent {
  return {
    resolver,
    endpointTls,
    mayMeetTls: false,
    onFault,
    agent: undefined,
    late: false,
    sockets: undefined,
    connect() {},
  }
}
