import type { Agent, ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { EndpointSockets } from './endpoint-sockets.js'
import {
  type EgressResolver,
  type LaneAgentOptions,
  type ResolvedLaneAgentOptions,
  resolveLaneAgentOptions,
} from './lane-agent-options.js'
import { classOf, type HopOptions } from './node-internals.js'
import { firstValue, OutgoingLane, write } from './outgoing-lane.js'
import { isRendered, rewriteTarget } from './rendered-head.js'
import { type HopAgent, kEndpoint, ServiceHop } from './service-hop.js'
import { type Target, targetOf } from './target.js'

/** Set on the options of a connection that must be plain TCP although its agent speaks TLS. */
export const kPlain: unique symbol = Symbol('laneway.plain')

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
  readonly #sockets: EndpointSockets
  readonly #hops: HopAgent | undefined
  readonly #connect: HopAgent['connect']
  readonly #socketPath: unknown
  readonly #keepsSockets: boolean
  #unsubscribe: (() => void) | undefined

  /** @param connect - `addRequest` of the class above */
  constructor(where: string, agent: Agent, secure: boolean, input: LaneAgentOptions, connect: HopAgent['connect']) {
    this.options = resolveLaneAgentOptions(where, input)
    this.#secure = secure
    this.#sockets = new EndpointSockets(agent as never)
    this.#connect = connect
    ;(agent as { [kLaneAgent]?: true })[kLaneAgent] = true
    this.#keepsSockets = (agent as Agent & { keepAlive?: boolean }).keepAlive === true
    this.#socketPath = (agent as Agent & { options: { socketPath?: unknown } }).options.socketPath
    const { resolver, connectTimeoutMs, onFault } = this.options
    this.#hops = resolver === undefined ? undefined : { resolver, connectTimeoutMs, onFault, connect }
  }

  addRequest(request: ClientRequest, options: HopOptions): void {
    // A unix socket is an address of its own: not ours to resolve, and nobody knows who listens.
    if (options.socketPath || this.#socketPath) {
      this.#connect(request, options)
      return
    }
    const hops = this.#hops
    const target = targetOf(request, options, this.#secure)
    let service: string | undefined
    let outgoing: OutgoingLane
    try {
      service = serviceOf(hops?.resolver, target, this.#secure)
      outgoing = new OutgoingLane(request, options, target, service, this.options)
      if (service !== undefined && target.originForm !== undefined) leaveProxy(request, options, target)
    } catch (error) {
      const { onFault } = this.options
      if (onFault !== undefined && (error as { code?: unknown }).code !== 'LANEWAY_HEADERS_SENT') {
        onFault(error)
        this.#connect(request, options)
        return
      }
      classOf(request).onSocket.call(request, undefined, error as Error)
      return
    }
    if (service === undefined || hops === undefined) {
      this.#connect(request, options)
      return
    }
    const own: HopOptions = { ...options }
    if (this.#secure) {
      if (!target.secure) {
        own[kPlain] = true
        own.servername = ''
      } else if (own.servername === undefined && request.getHeader('host') === undefined) {
        // Node takes the server name from Host, else from the options, which are to hold the endpoint's address.
        own.servername = target.hostname
      }
    }
    new ServiceHop(hops, request, outgoing, service, own)
  }

  /** A connection to an endpoint was opened. */
  opened(options: HopOptions, socket: Socket): void {
    // Without keep-alive a connection ends with its request, and an agent may live no longer either.
    if (!this.#keepsSockets) return
    const { resolver } = this.options
    this.#unsubscribe ??= resolver?.onEndpointGone(endpoint => this.#sockets.gone(endpoint.address))
    this.#sockets.add(options[kEndpoint] as string, socket, options._agentKey ?? '')
  }

  mayKeep(socket: Socket): boolean {
    return this.#sockets.mayKeep(socket)
  }

  /** Lets go of the resolver; the next connection to an endpoint takes hold again. */
  release(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }
}

/** The service that a target names. Plain HTTP has no way to reach an https target but through its proxy. */
export function serviceOf(resolver: EgressResolver | undefined, target: Target, secure: boolean): string | undefined {
  if (resolver === undefined || target.tunnel || (target.secure && !secure)) return undefined
  return resolver.match(target.hostname, target.port, target.secure)
}

/** Turns a request to a proxy into one to the origin: what the proxy was told stays with us. */
function leaveProxy(request: ClientRequest, options: HopOptions, target: Target): void {
  const { originForm, authority } = target
  if (originForm === undefined) return
  write(request, 'proxy-authorization', undefined)
  write(request, 'proxy-connection', undefined)
  const host = firstValue(request, 'host')
  // The proxy's own name is there when the client left Host to Node.
  const proxy = String(options.host)
  if (host === undefined || host === proxy || host === `${proxy}:${options.port}`) write(request, 'host', authority)
  if (isRendered(request)) rewriteTarget(request, originForm)
  request.path = originForm
}
