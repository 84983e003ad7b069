import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Endpoint } from '@laneway/discovery'
import { classOf, type HopOptions } from '../node-internals.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import { firstValue, isRendered, rewriteTarget, write } from '../request/request-head.js'
import type { Target } from '../request/target.js'
import { connectionOf, type EndpointConnection } from '../sockets/endpoint-connection.js'
import { leaveQueue } from '../sockets/endpoint-pool.js'
import type { Goal } from '../sockets/goal.js'
import { type ChoosingHop, EndpointChoice } from './endpoint-choice.js'
import type { HopAgent } from './hop-agent.js'

/**
 * A request to a service, with its endpoint and its socket: asks the agent for the socket, ends the request with or without it,
 * and lets it go on without a resolver.
 */
export class RequestHop implements ChoosingHop {
  socket: Socket | undefined
  /** The agent was asked for a socket. */
  asked = false
  /** The agent is being asked for a socket; a socket that it gives now was there at once. */
  asking = false
  #corked = false
  protected readonly choice: EndpointChoice
  protected over = false

  constructor(
    readonly agent: HopAgent,
    readonly request: ClientRequest,
    readonly outgoing: OutgoingLane,
    readonly service: string,
    /** Of the connection. */
    readonly options: HopOptions,
  ) {
    this.choice = new EndpointChoice(this)
  }

  get address(): string | undefined {
    return this.choice.endpoint?.address
  }

  /** `undefined` without a socket, and for one that Laneway did not lead to an endpoint. */
  protected get connection(): EndpointConnection | undefined {
    return connectionOf(this.socket)
  }

  /** Asks the agent for a socket. */
  protected askAgent(): void {
    this.asking = true
    this.asked = true
    try {
      this.agent.connect(this.request, this.options)
    } finally {
      this.asking = false
    }
  }

  /** Takes the request out of the queue of its agent. @returns whether it waited there */
  protected leaveQueue(): boolean {
    const { agent } = this.agent
    return agent !== undefined && this.socket === undefined && leaveQueue(agent, this.request, this.options)
  }

  /** Keeps the head of the request until it is known where the request goes. */
  protected cork(): void {
    this.#corked = true
    this.socket?.cork()
  }

  protected uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.socket?.uncork()
  }

  /** Notes a connection that the agent may keep, so that it is closed when the endpoint leaves. */
  protected keep(address: string | undefined, socket: Socket): void {
    const { agent, sockets } = this.agent
    const connection = connectionOf(socket)
    if (sockets !== undefined && agent?.keepAlive === true && address !== undefined && connection !== undefined) {
      sockets.add(address, socket, agent, connection)
    }
  }

  /** Whether the URL says http and the endpoint speaks TLS. */
  protected needsTls(endpoint: Pick<Endpoint, 'secure'> | undefined): boolean {
    return endpoint?.secure === true && !this.outgoing.target.secure
  }

  /** Asked again after a wait: before it, neither the ports of a service are known nor whether a registry lists it. */
  protected isNoService(): boolean {
    const { hostname, port, secure, handle } = this.outgoing.target
    if (handle !== undefined) return handle.match() === undefined
    return this.agent.resolver.match(hostname, port, secure) === undefined
  }

  /** @returns `false` when the request has failed */
  protected bypassProxy(): boolean {
    try {
      bypassProxy(this.request, this.outgoing.hop, this.outgoing.target)
      return true
    } catch (error) {
      this.fail(error as Error)
      return false
    }
  }

  /** Sends the request where it would go without a resolver. */
  protected sendUnresolved(): void {
    const goal = this.ownGoal()
    if (goal instanceof Error) this.fail(goal)
    else if (this.socket !== undefined) {
      this.connection?.start(goal)
      this.uncork()
    } else if (this.leaveQueue() || !this.asked) {
      connectOutside(this.outgoing.hop, this.request, this.agent.connect)
    }
  }

  /** Where the request would go without a resolver; an error when its head can no longer be changed for that. */
  protected ownGoal(): Goal | Error {
    const { hop } = this.outgoing
    this.over = true
    this.choice.release('aborted')
    this.outgoing.watcher = undefined
    try {
      this.outgoing.leaveService()
    } catch (error) {
      return error as Error
    }
    return { host: hop.host ?? 'localhost', port: Number(hop.port) }
  }

  /** A fault of Laneway's own: the request ends with it or, in a preload, goes on without Laneway. */
  protected fault(error: unknown): void {
    const { onFault } = this.agent
    if (onFault === undefined) this.fail(error as Error)
    else {
      onFault(error)
      this.sendUnresolved()
    }
  }

  /** @param error - `undefined` when the request is destroyed: Node then reports what the caller gave to `destroy` */
  protected fail(error: Error | undefined): void {
    this.over = true
    this.choice.release('aborted')
    this.endRequest(error)
  }

  /** Ends the request. @param error - `undefined` when its user destroyed it: Node then reports the error of `destroy` */
  protected endRequest(error: Error | undefined): void {
    const { connection } = this
    if (this.socket === undefined) classOf(this.request).onSocket.call(this.request, undefined, error)
    else if (connection !== undefined && !connection.done && error !== undefined) connection.fail(error)
    else this.request.destroy(error)
  }
}

/**
 * Set on the options of a request that another agent was asked to send, such as a proxy. Gives the request back to that agent
 * when its target is no service.
 */
export const kGiveBack: unique symbol = Symbol('laneway.giveBack')

/** Connects a request whose target is no service: by the agent that the caller chose, else by this one. */
export function connectOutside(
  options: HopOptions,
  request: ClientRequest,
  connect: (request: ClientRequest, options: HopOptions) => void,
): void {
  const giveBack = options[kGiveBack] as (() => void) | undefined
  if (giveBack === undefined) connect(request, options)
  else giveBack()
}

/**
 * Whether a request goes to a proxy unless its target is a service. Such a request must have neither a socket nor a changed
 * head before that is known.
 */
export function isForProxy(options: HopOptions, target: Target): boolean {
  return target.originForm !== undefined || options[kGiveBack] !== undefined
}

/**
 * Turns a request to a proxy into one to the origin, without the headers for the proxy.
 *
 * @throws LanewayError `LANEWAY_HEADERS_SENT`
 */
function bypassProxy(request: ClientRequest, options: HopOptions, target: Target): void {
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
