import type { ClientRequest } from 'node:http'
import { isLeftAlone } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'
import { createHopAgent, type HopAgent } from '../hop/hop-agent.js'
import { connectOutside } from '../hop/request-hop.js'
import { ServiceHop } from '../hop/service-hop.js'
import { routeBehindMocks } from '../mock/agent-in-agent.js'
import { tagMockedRequestsOf } from '../mock/mocked-request.js'
import {
  type AgentInternals,
  type AnyAgent,
  type CreateConnection,
  classOf,
  type HopOptions,
} from '../node-internals.js'
import { type LaneAgentOptions, type ResolvedLaneAgentOptions, resolveLaneAgentOptions } from '../options.js'
import { KnownTargets } from '../request/known-targets.js'
import { OutgoingLane } from '../request/outgoing-lane.js'
import type { Target } from '../request/target.js'
import { createSocket, kPlain, type SocketWay } from '../sockets/create-socket.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { EndpointSockets } from '../sockets/endpoint-sockets.js'

/** Marks agents that route by themselves; registered, because two copies of this package may meet. */
const kLaneAgent = Symbol.for('laneway.http.agent')

/** Whether an agent is a `LaneAgent` or `LaneHttpsAgent`, of this copy of the package or another. */
export function isLaneAgent(agent: object): boolean {
  return (agent as { [kLaneAgent]?: true })[kLaneAgent] === true
}

/** The agent that a {@link LaneRouting} routes for. */
export interface RoutedAgent {
  readonly where: string
  readonly agent: AnyAgent
  readonly secure: boolean
  /** Connects without the proxy that the agent has; `undefined` when it has none. */
  readonly direct: CreateConnection | undefined
  /** The methods of Node's class. */
  readonly node: Pick<AgentInternals, 'addRequest' | 'createSocket'>
}

/** What `LaneAgent` and `LaneHttpsAgent` share: which requests are routed, tagged, or left alone. */
export class LaneRouting {
  /** For `createSocket`. */
  readonly way: SocketWay
  readonly #options: ResolvedLaneAgentOptions
  readonly #secure: boolean
  readonly #agent: AnyAgent
  readonly #targets: KnownTargets
  readonly #hops: HopAgent | undefined
  readonly #connectHere: HopAgent['connect']
  readonly #sockets: EndpointSockets | undefined
  /** Mock agents that stand in front of this one. */
  readonly #inFront = new WeakMap<object, HopAgent>()

  constructor({ where, agent, secure, direct, node }: RoutedAgent, input: LaneAgentOptions) {
    this.#options = resolveLaneAgentOptions(where, input)
    const { resolver, connectTimeoutMs } = this.#options
    this.way = { agent, open: node.createSocket, direct, timeoutMs: connectTimeoutMs }
    this.#secure = secure
    this.#agent = agent
    this.#targets = new KnownTargets(resolver, secure)
    this.#connectHere = node.addRequest.bind(agent)
    ;(agent as { [kLaneAgent]?: true })[kLaneAgent] = true
    routeBehindMocks(agent, (front, request, hop, addRequest) => this.#addBehind(front, request, hop, addRequest))
    tagMockedRequestsOf(agent, (request, hop) => this.#tag(request, hop))
    if (resolver === undefined) return
    this.#sockets = new EndpointSockets(resolver)
    const late = direct !== undefined
    this.#hops = createHopAgent(this.#options, resolver, { ...node, agent, late, sockets: this.#sockets })
  }

  addRequest(request: ClientRequest, options: HopOptions): void {
    const agent = this.#agent
    // A unix socket is already an address, so there is nothing to resolve; and who listens there is unknown.
    if (options.socketPath || agent.options.socketPath || isLeftAlone()) {
      this.#connectHere(request, options)
      return
    }
    const hops = this.#hops
    const target = this.#targets.of(request, options)
    let service: string | undefined
    let outgoing: OutgoingLane
    try {
      service = serviceOf(hops?.resolver, target, this.#secure)
      outgoing = new OutgoingLane(request, options, target, service, this.#options)
    } catch (error) {
      const { onFault } = this.#options
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
    sendToService(hops, request, outgoing, service, ownOptions(options, target, this.#secure))
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
    let hops = this.#inFront.get(front)
    if (hops === undefined) {
      const parts = { agent: front, late: false, sockets: this.#sockets!, addRequest }
      hops = createHopAgent(this.#options, this.#options.resolver!, parts)
      this.#inFront.set(front, hops)
      steer(front, this.#options.connectTimeoutMs)
    }
    sendToService(hops, request, outgoing, service, ownOptions(options, target, this.#secure))
  }

  /** Tags a request that a mock may answer. */
  #tag(request: ClientRequest, options: HopOptions) {
    if (isLeftAlone()) return undefined
    try {
      const target = this.#targets.of(request, options)
      const service = serviceOf(this.#options.resolver, target, this.#secure)
      return { target, service, outgoing: new OutgoingLane(request, options, target, service, this.#options) }
    } catch {
      // Its head has left, and this agent does not send it.
      return undefined
    }
  }

  /** Unsubscribes from the resolver; the next connection to an endpoint subscribes again. */
  release(): void {
    this.#sockets?.release()
  }
}

/** Gives a mock agent the two methods with which its connections can be led to endpoints. */
function steer(front: AnyAgent, timeoutMs: number): void {
  const { createSocket: open, getName } = front
  const way: SocketWay = { agent: front, open, direct: undefined, timeoutMs }
  front.createSocket = (request, options, done) => createSocket(way, request, options, done)
  front.getName = options => poolName(front, getName, options, false)
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

/** The service that a target names. Plain HTTP reaches an https target only through its proxy. */
export function serviceOf(resolver: EgressResolver | undefined, target: Target, secure: boolean): string | undefined {
  if (resolver === undefined || target.tunnel || (target.secure && !secure)) return undefined
  return target.handle === undefined
    ? resolver.match(target.hostname, target.port, target.secure)
    : target.handle.match()
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
