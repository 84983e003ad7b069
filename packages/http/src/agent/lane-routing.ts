import type { ClientRequest } from 'node:http'
import { connectOutside } from '../hop/leave-proxy.js'
import { type HopAgent, ServiceHop } from '../hop/service-hop.js'
import { type AgentInternals, type AnyAgent, classOf, type HopOptions } from '../node-internals.js'
import { tagMockedRequestsOf } from '../request/mocked-request.js'
import { OutgoingLane } from '../request/outgoing-lane.js'
import { type Target, targetOf } from '../request/target.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { EndpointSockets } from '../sockets/endpoint-sockets.js'
import { mayMeetTls } from '../sockets/secure-endpoint.js'
import { connectsAsNode, leadBehindOthers } from './agent-in-agent.js'
import { createSocket, kPlain } from './create-socket.js'
import {
  type EgressResolver,
  type LaneAgentOptions,
  type ResolvedLaneAgentOptions,
  resolveLaneAgentOptions,
} from './lane-agent-options.js'

/** Marks agents that route by themselves; registered, because two copies of this package may meet. */
const kLaneAgent = Symbol.for('laneway.http.agent')

/** Whether an agent is a `LaneAgent` or `LaneHttpsAgent`, of this copy of the package or another. */
export function isLaneAgent(agent: object): boolean {
  return (agent as { [kLaneAgent]?: true })[kLaneAgent] === true
}

/** What `LaneAgent` and `LaneHttpsAgent` share: which requests are routed, tagged, or left alone. */
export class LaneRouting {
  readonly options: ResolvedLaneAgentOptions
  readonly #secure: boolean
  readonly #agent: AnyAgent
  readonly #hops: HopAgent | undefined
  readonly #connectHere: HopAgent['connect']
  readonly #sockets: EndpointSockets | undefined
  /** Agents that stand in front of this one. */
  readonly #behind = new WeakMap<object, HopAgent>()

  /** @param connect - `addRequest` of the class above */
  constructor(
    where: string,
    agent: AnyAgent,
    secure: boolean,
    late: boolean,
    input: LaneAgentOptions,
    connect: AgentInternals['addRequest'],
  ) {
    this.options = resolveLaneAgentOptions(where, input)
    this.#secure = secure
    this.#agent = agent
    this.#connectHere = connect.bind(agent)
    ;(agent as { [kLaneAgent]?: true })[kLaneAgent] = true
    leadBehindOthers(agent, (front, request, hop, addRequest) => this.#addBehind(front, request, hop, addRequest))
    tagMockedRequestsOf(agent, (request, hop) => this.#tag(request, hop))
    const { resolver } = this.options
    if (resolver === undefined) return
    this.#sockets = new EndpointSockets(resolver)
    this.#hops = hopAgent(this.options, resolver, agent, late, this.#sockets, connect)
  }

  addRequest(request: ClientRequest, options: HopOptions): void {
    const agent = this.#agent
    // A unix socket is an address of its own: not ours to resolve, and nobody knows who listens.
    if (options.socketPath || agent.options.socketPath) {
      this.#connectHere(request, options)
      return
    }
    const hops = this.#hops
    const target = targetOf(request, options, this.#secure)
    let service: string | undefined
    let outgoing: OutgoingLane
    try {
      service = serviceOf(hops?.resolver, target, this.#secure)
      outgoing = new OutgoingLane(request, options, target, service, this.options)
    } catch (error) {
      const { onFault } = this.options
      if (onFault !== undefined && (error as { code?: unknown }).code !== 'LANEWAY_HEADERS_SENT') {
        onFault(error)
        connectOutside(options, request, this.#connectHere)
        return
      }
      classOf(request).onSocket.call(request, undefined, error as Error)
      return
    }
    if (service === undefined || hops === undefined) {
      connectOutside(options, request, this.#connectHere)
      return
    }
    lead(hops, request, outgoing, service, ownOptions(options, target, this.#secure))
  }

  /** A request whose agent stands in front of this one: its pools and its connections are those of a mock. */
  #addBehind(
    front: AnyAgent,
    request: ClientRequest,
    options: HopOptions,
    addRequest: AgentInternals['addRequest'],
  ): void {
    const tagged = this.#tag(request, options)
    if (tagged?.service === undefined || tagged.target.originForm !== undefined) {
      addRequest.call(front, request, options)
      return
    }
    const { target, service, outgoing } = tagged
    let hops = this.#behind.get(front)
    if (hops === undefined) {
      hops = hopAgent(this.options, this.options.resolver!, front, false, this.#sockets!, addRequest)
      this.#behind.set(front, hops)
      connectBehind(front, this.options.connectTimeoutMs)
    }
    lead(hops, request, outgoing, service, ownOptions(options, target, this.#secure))
  }

  /** Tags a request that a mock may answer. */
  #tag(request: ClientRequest, options: HopOptions) {
    try {
      const target = targetOf(request, options, this.#secure)
      const service = serviceOf(this.options.resolver, target, this.#secure)
      return { target, service, outgoing: new OutgoingLane(request, options, target, service, this.options) }
    } catch {
      // Its head has left, and who sends it is not this agent.
      return undefined
    }
  }

  /** Lets go of the resolver; the next connection to an endpoint takes hold again. */
  release(): void {
    this.#sockets?.release()
  }
}

/** Gives an agent in front the two methods with which its connections can be led to endpoints. */
function connectBehind(front: AnyAgent, timeoutMs: number): void {
  const { createSocket: open, getName } = front
  front.createSocket = (request, options, done) =>
    createSocket(front, open, undefined, timeoutMs, request, options, done)
  front.getName = options => poolName(front, getName, options, false)
}

/** What the requests of one agent to services have in common. */
export function hopAgent(
  { connectTimeoutMs, endpointTls, onFault }: ResolvedLaneAgentOptions,
  resolver: EgressResolver,
  agent: AnyAgent,
  late: boolean,
  sockets: EndpointSockets,
  addRequest: AgentInternals['addRequest'],
): HopAgent {
  const connect = addRequest.bind(agent)
  return {
    resolver,
    connectTimeoutMs,
    endpointTls,
    // A mock answers without a registry, and makes its own connections anyway.
    mayMeetTls: connectsAsNode(agent) && mayMeetTls(endpointTls),
    onFault,
    agent,
    late,
    sockets,
    connect,
  }
}

/** Sends a request to an endpoint of a service. What a resolver throws is the request's error, or goes to `onFault`. */
export function lead(
  hops: HopAgent,
  request: ClientRequest,
  outgoing: OutgoingLane,
  service: string,
  options: HopOptions,
): ServiceHop | undefined {
  let hop: ServiceHop
  try {
    hop = new ServiceHop(hops, request, outgoing, service, options)
  } catch (error) {
    outgoing.watcher = undefined
    if (hops.onFault === undefined) classOf(request).onSocket.call(request, undefined, error as Error)
    else {
      hops.onFault(error)
      connectOutside(outgoing.hop, request, hops.connect)
    }
    return undefined
  }
  hop.begin()
  return hop
}

/** The options of a connection, which are changed as the request goes on. */
function ownOptions(options: HopOptions, target: Target, secure: boolean): HopOptions {
  const own: HopOptions = { ...options }
  if (target.originForm !== undefined) {
    // The options name the proxy.
    own.host = target.hostname
    own.hostname = target.hostname
    own.port = target.port ?? (target.secure ? 443 : 80)
  }
  if (secure && !target.secure) {
    own[kPlain] = true
    own.servername = ''
  }
  return own
}

/** The service that a target names. Plain HTTP has no way to reach an https target but through its proxy. */
export function serviceOf(resolver: EgressResolver | undefined, target: Target, secure: boolean): string | undefined {
  if (resolver === undefined || target.tunnel || (target.secure && !secure)) return undefined
  return resolver.match(target.hostname, target.port, target.secure)
}
