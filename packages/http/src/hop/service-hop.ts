import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Endpoint } from '@laneway/discovery'
import { type CreateConnection, classOf, type HopOptions } from '../node-internals.js'
import { holdBody } from '../request/held-body.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import { hookDestroy, type RequestWatcher } from '../request/request-hooks.js'
import { kHop, type SteeredHop } from '../sockets/create-socket.js'
import { kEndpoint, WAITING } from '../sockets/endpoint-pool.js'
import type { Goal } from '../sockets/goal.js'
import { connectSecurely, wrongTransport } from '../sockets/secure-endpoint.js'
import { isForProxy } from './bypass-proxy.js'
import type { HopAgent } from './hop-agent.js'
import { RequestHop } from './request-hop.js'

/**
 * One request to a service. The hop picks the endpoint when the request is made, and the agent gives the request a socket as
 * it always does. Before a byte has left, the hop may wait for a first snapshot, or pick another endpoint because the
 * connection failed or because the caller set another tag. The caller sees nothing of that.
 *
 * Members are `private` and not `#`: private names cost 50 bytes a request here (benchmark case egress/http/inject).
 */
export class ServiceHop extends RequestHop implements SteeredHop, RequestWatcher {
  /** The request gets a socket only once it is known whether its target is a service. */
  private readonly late: boolean
  /** Waits until the sources have answered. */
  private waiting = false
  private waited = false
  /** The listeners of `socket` have run: what they changed counts. */
  private heard = false

  constructor(agent: HopAgent, request: ClientRequest, outgoing: OutgoingLane, service: string, options: HopOptions) {
    super(agent, request, outgoing, service, options)
    this.late = agent.late || isForProxy(outgoing.hop, outgoing.target) || agent.mayMeetTls
    options[kHop] = this
    outgoing.watcher = this
    hookDestroy(request)
    this.pick()
  }

  /** Lets the agent give the request its socket. */
  begin(): void {
    if (this.waiting && this.late) holdBody(this.request)
    else if (this.bypassProxy()) this.ask()
  }

  /** What makes the connection when the URL says http and the endpoint speaks TLS. */
  connectsSecurely(): CreateConnection | undefined {
    if (!this.needsTls(this.choice.endpoint)) return undefined
    return connectSecurely(this.agent.endpointTls, this.outgoing.target.hostname)
  }

  private pick(): void {
    if (this.choice.pick(undefined, !this.waited)) this.wait()
  }

  private wait(): void {
    this.waited = true
    this.waiting = true
    this.choice.delayed = true
    const done = (error?: Error) => {
      if (!this.waiting) return
      this.waiting = false
      try {
        this.sourcesAnswered(error)
      } catch (fault) {
        this.fault(fault)
      }
    }
    this.agent.resolver.lookup(this.service).then(() => done(), done)
  }

  /** The wait is over. @param error - why it was in vain */
  private sourcesAnswered(error: Error | undefined): void {
    if (this.isNoService()) {
      this.sendUnresolved()
      return
    }
    if (this.late && !this.bypassProxy()) return
    const queued = this.leaveQueue()
    if (error === undefined) this.pick()
    else this.choice.failure = error
    if (queued || !this.asked) this.ask()
    else if (this.socket !== undefined) {
      const { endpoint } = this.choice
      // At once: the next request that waited has to find the pool as full as it is.
      if (endpoint !== undefined) this.connection?.move(endpoint)
      if (this.heard) this.start()
    }
  }

  private ask(): void {
    try {
      this.askAgent()
    } catch (error) {
      this.over = true
      this.choice.release('aborted')
      throw error
    }
    // Without an endpoint it would wait in the queue of its agent in vain.
    if (this.socket === undefined && this.choice.failure !== undefined) process.nextTick(socketHeard, this)
  }

  received(socket: Socket | undefined, error: Error | null | undefined): void {
    if (socket !== undefined && !error) this.link(socket)
    classOf(this.request).onSocket.call(this.request, socket, error ?? undefined)
    // Behind Node's own tick: the listeners of `socket` may still set the tag.
    process.nextTick(socketHeard, this)
  }

  /** The request has its socket already. */
  receivedBefore(socket: Socket): void {
    this.link(socket)
    process.nextTick(socketHeard, this)
  }

  mockPassedOn(socket: Socket): void {
    this.socket = socket
    try {
      this.pick()
    } catch (fault) {
      this.fault(fault)
      return
    }
    process.nextTick(start, this)
  }

  private link(socket: Socket): void {
    this.socket = socket
    const { connection } = this
    this.choice.reached = this.asking
    if (connection === undefined) {
      // A mock, or a connection that the application has made: it goes there, whatever the resolver knows.
      this.waiting = false
      this.waited = false
      this.choice.failure = undefined
      this.choice.release('aborted')
      return
    }
    connection.owner = this
    if (this.waiting && this.outgoing.isTaggedForService()) this.cork()
  }

  /** The listeners of `socket` have run: connects, now that the tag is known. */
  socketHeard(): void {
    this.heard = true
    if (this.over) {
      this.start()
      return
    }
    try {
      if (!this.request.destroyed) this.outgoing.settleUnlessRendered()
      this.repickIfMoved()
      // What the caller has put into the queue of this moment comes first, as it comes before any lookup of Node.
      if (this.connection?.isStarted() === false) process.nextTick(start, this)
      else this.start()
    } catch (error) {
      this.fault(error)
    }
  }

  /** Connects the socket to the endpoint, or ends the request that has none. */
  start(): void {
    if (this.waiting) return
    const { failure } = this.choice
    if (failure !== undefined) {
      this.leaveQueue()
      this.fail(failure)
      return
    }
    const { connection } = this
    if (connection === undefined || connection.isStarted()) return
    const endpoint = this.options[kEndpoint] as Endpoint
    if (endpoint.address !== WAITING.address) {
      if (connection.secure !== this.needsTls(endpoint)) {
        this.fail(wrongTransport(this.service, endpoint))
        return
      }
      connection.start(endpoint)
    }
    this.uncork()
  }

  rendering(): void {
    this.repickIfMoved()
  }

  /** Picks again when the caller has set another tag since the pick. */
  private repickIfMoved(): void {
    if (this.over || this.waiting || !this.choice.isOutdated()) return
    const before = this.address
    const queued = this.leaveQueue()
    this.choice.release('aborted')
    this.pick()
    if (queued) {
      this.ask()
      return
    }
    const { endpoint } = this.choice
    const { connection } = this
    if (connection === undefined || endpoint?.address === before) return
    if (endpoint === undefined) this.fail(this.choice.failure)
    else if (connection.secure !== this.needsTls(endpoint)) this.fail(wrongTransport(this.service, endpoint))
    else if (connection.isStarted()) {
      this.request.reusedSocket = false
      if (!connection.restart(endpoint)) this.fail(new Error('the tag of a request was changed too late'))
    }
  }

  next(failure: Error): Goal | Error | undefined {
    if (this.over) return undefined
    try {
      if (!this.choice.pickNext(failure, !this.waited)) return undefined
    } catch (fault) {
      const { onFault } = this.agent
      if (onFault === undefined) return fault as Error
      onFault(fault)
      return this.ownGoal()
    }
    const { endpoint } = this.choice
    const { connection } = this
    // The socket cannot change between TLS and plain text: the failure stands.
    if (endpoint !== undefined && connection !== undefined && connection.secure !== this.needsTls(endpoint)) {
      this.choice.release('aborted')
      return undefined
    }
    // Node itself reports the failure.
    return endpoint ?? (this.choice.failure === failure ? undefined : this.choice.failure)
  }

  connected(socket: Socket): void {
    this.keep(this.address, socket)
    this.choice.connected(socket)
  }

  timingOut(): void {
    this.choice.timingOut()
  }

  cancel(error: unknown): void {
    this.choice.cancelled(error)
    // A late request has no socket yet that could end it.
    if (this.waiting && this.late) {
      this.waiting = false
      this.fail(undefined)
    }
  }

  ended(): void {
    this.over = true
    const { connection, socket } = this
    if (connection?.done === false) {
      // The agent or the caller ended the connection, not the endpoint.
      this.choice.lost()
      if (socket?.destroyed === true) connection.abandon()
    }
    this.choice.release(undefined)
  }
}

function start(hop: ServiceHop): void {
  hop.start()
}

function socketHeard(hop: ServiceHop): void {
  hop.socketHeard()
}
