import type { ClientRequest } from 'node:http'
import type { Endpoint } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import type { Goal } from '../sockets/goal.js'
import { bypassProxy, connectOutside } from './bypass-proxy.js'
import { type ChoosingHop, EndpointChoice } from './endpoint-choice.js'
import type { HopAgent } from './hop-agent.js'
import { RequestSocket } from './request-socket.js'

/** A request to a service, with its endpoint and its socket: how it ends, and how it goes on without a resolver. */
export class RequestHop extends RequestSocket implements ChoosingHop {
  protected readonly choice: EndpointChoice
  protected over = false

  constructor(
    agent: HopAgent,
    request: ClientRequest,
    readonly outgoing: OutgoingLane,
    readonly service: string,
    options: HopOptions,
  ) {
    super(request, agent, options)
    this.choice = new EndpointChoice(this)
  }

  get address(): string | undefined {
    return this.choice.endpoint?.address
  }

  /** Whether the URL says http and the endpoint speaks TLS. */
  protected needsTls(endpoint: Pick<Endpoint, 'secure'> | undefined): boolean {
    return endpoint?.secure === true && !this.outgoing.target.secure
  }

  /** Asked again after a wait: before it, neither the ports of a service are known nor whether a registry lists it. */
  protected isNoService(): boolean {
    const { hostname, port, secure } = this.outgoing.target
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
}
