import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { channels, duringCall, type EndpointTls, isOwnShortage, type Lane } from '@laneway/core'
import type { Choice, Endpoint } from '@laneway/discovery'
import type { EgressResolver } from '../agent/lane-agent-options.js'
import { type AnyAgent, type CreateConnection, classOf, type HopOptions } from '../node-internals.js'
import { holdBody } from '../request/held-body.js'
import type { OutgoingLane } from '../request/outgoing-lane.js'
import { hookDestroy, type RequestWatcher } from '../request/request-hooks.js'
import { type ConnectionOwner, connectionOf, type Goal } from '../sockets/endpoint-connection.js'
import { kEndpoint, leaveQueue, WAITING } from '../sockets/endpoint-pool.js'
import type { EndpointSockets } from '../sockets/endpoint-sockets.js'
import { connectSecurely, wrongTransport } from '../sockets/secure-endpoint.js'
import { HopEnd, warnOfFault } from './hop-end.js'
import { connectOutside, isForProxy, leaveProxy } from './leave-proxy.js'

/** Connection attempts of a request after the first, all before a byte of it has left. */
const MAX_RETRIES = 2

/** The request to a service that a connection is opened for, set on the options of the connection. */
export const kHop: unique symbol = Symbol('laneway.hop')

/** What a hop needs of its agent. */
export interface HopAgent {
  readonly resolver: EgressResolver
  readonly connectTimeoutMs: number
  readonly endpointTls: EndpointTls | undefined
  /** An endpoint may turn out to speak TLS, so that a request must not have a socket before its endpoint is known. */
  readonly mayMeetTls: boolean
  /** See `ResolvedLaneAgentOptions`. */
  readonly onFault: ((error: unknown) => void) | undefined
  /** `undefined` for a request without an agent. */
  readonly agent: AnyAgent | undefined
  /**
   * Connects to the origin through a proxy of its own: a request whose target may turn out to be no service must not have
   * a socket before that is known.
   */
  readonly late: boolean
  /** Where connections that are kept are noted. */
  readonly sockets: EndpointSockets | undefined
  /** `http.Agent.prototype.addRequest`. */
  connect(request: ClientRequest, options: HopOptions): void
}

/**
 * One request to a service. The endpoint is picked when the request is made, and the agent gives the request a socket as
 * it always does. What happens before a byte has left stays unseen: the wait for a first snapshot, and the pick of
 * another endpoint because the connection failed or because the caller set another tag.
 */
export class ServiceHop implements ConnectionOwner, RequestWatcher {
  readonly #request: ClientRequest
  readonly #outgoing: OutgoingLane
  readonly service: string
  readonly #options: HopOptions
  readonly #agent: HopAgent
  readonly #end = new HopEnd()
  /** In use, reported as started. */
  #choice: Choice | undefined
  /** The lane of the last pick. */
  #lane: Lane | undefined
  /** Why no endpoint could be picked. */
  #failure: Error | undefined
  /** Addresses that failed before any response byte. */
  #tried: Set<string> | undefined
  #retries = 0
  /** Waits for the first snapshot. */
  #waiting = false
  #waited = false
  #connecting = false
  /** Those who listen for the socket have had their turn. */
  #heard = false
  /** The agent was asked for a socket. */
  #asked = false
  #socket: Socket | undefined
  #corked = false
  #over = false
  /** The request gets a socket only once it is known whether its target is a service. */
  readonly #late: boolean

  constructor(agent: HopAgent, request: ClientRequest, outgoing: OutgoingLane, service: string, options: HopOptions) {
    this.#agent = agent
    this.#request = request
    this.#outgoing = outgoing
    this.service = service
    this.#options = options
    this.#late = agent.late || isForProxy(outgoing.hop, outgoing.target) || agent.mayMeetTls
    options[kHop] = this
    outgoing.watcher = this
    hookDestroy(request)
    this.#pick(undefined)
  }

  get address(): string | undefined {
    return this.#choice?.endpoint?.address
  }

  /** Lets the agent give the request its socket. */
  begin(): void {
    if (this.#waiting && this.#late) {
      holdBody(this.#request)
      return
    }
    if (this.#leaveProxy()) this.#connect()
  }

  /** What makes the connection when the URL says http and the endpoint speaks TLS. */
  connectsSecurely(): CreateConnection | undefined {
    if (!this.#needsTls(this.#choice?.endpoint)) return undefined
    return connectSecurely(this.#agent.endpointTls, this.#outgoing.target.hostname)
  }

  #needsTls(endpoint: Endpoint | undefined): boolean {
    return endpoint?.secure === true && !this.#outgoing.target.secure
  }

  /** @returns `false` when the request has failed */
  #leaveProxy(): boolean {
    try {
      leaveProxy(this.#request, this.#outgoing.hop, this.#outgoing.target)
      return true
    } catch (error) {
      this.#fail(error as Error)
      return false
    }
  }

  /** @param failure - of the attempt before, `undefined` for the first */
  #pick(failure: Error | undefined): void {
    const { lane } = this.#outgoing
    const { resolver } = this.#agent
    this.#lane = lane
    this.#failure = undefined
    const choice = channels.decision.hasSubscribers ? this.#pickTold() : resolver.pick(this.service, lane, this.#tried)
    const { endpoint } = choice
    if (endpoint !== undefined) {
      if (failure !== undefined && this.#tried?.has(endpoint.address) === true) {
        this.#failure = failure
        return
      }
      resolver.started(choice)
      this.#choice = choice
      this.#options[kEndpoint] = endpoint
      return
    }
    this.#options[kEndpoint] = WAITING
    if (choice.outcome === 'not-ready' && !this.#waited) this.#wait()
    else this.#failure = resolver.refusal(choice, lane, failure)
  }

  /** Of its own, because a closure costs its function something whenever that is called. */
  #pickTold(): Choice {
    return duringCall(this.#outgoing.info(), () =>
      this.#agent.resolver.pick(this.service, this.#outgoing.lane, this.#tried),
    )
  }

  #wait(): void {
    this.#waited = true
    this.#waiting = true
    this.#end.delayed = true
    const done = (error?: Error) => {
      if (!this.#waiting) return
      this.#waiting = false
      try {
        this.#arrived(error)
      } catch (fault) {
        this.#fault(fault)
      }
    }
    this.#agent.resolver.lookup(this.service).then(() => done(), done)
  }

  /** The wait is over: it is known where the request goes, unless the wait was in vain. */
  #arrived(error: Error | undefined): void {
    if (this.#isNoService()) {
      this.#leave()
      return
    }
    if (this.#late && !this.#leaveProxy()) return
    const queued = this.#leaveQueue()
    if (error === undefined) this.#pick(undefined)
    else this.#failure = error
    if (queued || !this.#asked) this.#connect()
    else if (this.#socket !== undefined) {
      const endpoint = this.#choice?.endpoint
      // At once: the next request that waited has to find the pool as full as it is.
      if (endpoint !== undefined) connectionOf(this.#socket)?.move(endpoint)
      if (this.#heard) this.start()
    }
  }

  /** Only with a snapshot the ports of a service are known, or that no registry has it. */
  #isNoService(): boolean {
    const { hostname, port, secure } = this.#outgoing.target
    return this.#agent.resolver.match(hostname, port, secure) === undefined
  }

  /** The request goes where it would without a resolver. */
  #leave(): void {
    const { hop } = this.#outgoing
    const goal = this.#ownGoal()
    if (goal instanceof Error) this.#fail(goal)
    else if (this.#socket !== undefined) {
      connectionOf(this.#socket)?.start(goal)
      this.#uncork()
    } else if (this.#leaveQueue() || !this.#asked) connectOutside(hop, this.#request, this.#agent.connect)
  }

  /** Where the request would go without a resolver; or why its head cannot be made to fit that. */
  #ownGoal(): Goal | Error {
    const { hop } = this.#outgoing
    this.#over = true
    this.#release('aborted')
    this.#outgoing.watcher = undefined
    try {
      this.#outgoing.leaveService()
    } catch (error) {
      return error as Error
    }
    return { host: hop.host ?? 'localhost', port: Number(hop.port) }
  }

  /** A fault of Laneway's own: the request ends with it, or does without Laneway. */
  #fault(error: unknown): void {
    const { onFault } = this.#agent
    if (onFault === undefined) this.#fail(error as Error)
    else {
      onFault(error)
      this.#leave()
    }
  }

  #connect(): void {
    this.#connecting = true
    this.#asked = true
    try {
      this.#agent.connect(this.#request, this.#options)
    } catch (error) {
      this.#over = true
      this.#release('aborted')
      throw error
    } finally {
      this.#connecting = false
    }
    // Waits in the queue of its agent, for nothing.
    if (this.#socket === undefined && this.#failure !== undefined) process.nextTick(go, this)
  }

  received(socket: Socket | undefined, error: Error | null | undefined): void {
    if (socket !== undefined && !error) this.#link(socket)
    classOf(this.#request).onSocket.call(this.#request, socket, error ?? undefined)
    // Behind Node's own tick: those who listen for the socket may still set the tag.
    process.nextTick(go, this)
  }

  /** The request has its socket already. */
  receivedBefore(socket: Socket): void {
    this.#link(socket)
    process.nextTick(go, this)
  }

  letThrough(socket: Socket): void {
    this.#socket = socket
    try {
      this.#pick(undefined)
    } catch (fault) {
      this.#fault(fault)
      return
    }
    process.nextTick(start, this)
  }

  #link(socket: Socket): void {
    this.#socket = socket
    this.#end.reached = this.#connecting
    const connection = connectionOf(socket)
    if (connection === undefined) {
      // A mock, or a connection that somebody else has made: it goes where they want, whatever the resolver knows.
      this.#waiting = false
      this.#waited = false
      this.#failure = undefined
      this.#release('aborted')
      return
    }
    connection.owner = this
    if (this.#waiting && this.#outgoing.isTaggedForService()) {
      this.#corked = true
      socket.cork()
    }
  }

  /** Begins to connect, now that the tag is known. */
  go(): void {
    this.#heard = true
    if (this.#over) {
      this.start()
      return
    }
    try {
      if (!this.#request.destroyed) this.#outgoing.settleUnlessRendered()
      this.#go()
    } catch (error) {
      this.#fault(error)
    }
  }

  #go(): void {
    this.#repickIfMoved()
    // No lookup is faster than what the caller has put into the queue of this moment.
    if (connectionOf(this.#socket)?.isStarted() === false) process.nextTick(start, this)
    else this.start()
  }

  start(): void {
    if (this.#waiting) return
    const connection = connectionOf(this.#socket)
    const failure = this.#failure
    if (failure !== undefined) {
      this.#leaveQueue()
      this.#fail(failure)
      return
    }
    if (connection === undefined || connection.isStarted()) return
    const endpoint = this.#options[kEndpoint] as Endpoint
    if (endpoint.address !== WAITING.address && connection.secure !== this.#needsTls(endpoint)) {
      this.#fail(wrongTransport(this.service, endpoint))
      return
    }
    if (endpoint.address !== WAITING.address) connection.start(endpoint)
    this.#uncork()
  }

  rendering(): void {
    this.#repickIfMoved()
  }

  /** The caller has set another tag since the pick. */
  #repickIfMoved(): void {
    if (this.#over || this.#waiting || this.#lane?.header === this.#outgoing.lane?.header) return
    const before = this.#choice?.endpoint?.address
    const queued = this.#leaveQueue()
    this.#release('aborted')
    this.#pick(undefined)
    const endpoint = this.#choice?.endpoint
    if (queued) {
      this.#connect()
      return
    }
    const connection = connectionOf(this.#socket)
    if (connection === undefined || endpoint?.address === before) return
    if (endpoint === undefined) this.#fail(this.#failure)
    else if (connection.secure !== this.#needsTls(endpoint)) this.#fail(wrongTransport(this.service, endpoint))
    else if (connection.isStarted()) {
      this.#request.reusedSocket = false
      if (!connection.restart(endpoint)) this.#fail(new Error('the tag of a request was changed too late'))
    }
  }

  #leaveQueue(): boolean {
    const { agent } = this.#agent
    return agent !== undefined && this.#socket === undefined && leaveQueue(agent, this.#request, this.#options)
  }

  next(failure: Error): Goal | Error | undefined {
    const choice = this.#choice
    this.#choice = undefined
    if (this.#over || choice?.endpoint === undefined) return undefined
    if (isOwnShortage(failure)) {
      this.#choice = choice
      this.#release('aborted')
      return undefined
    }
    this.#end.delayed = true
    this.#tried ??= new Set()
    this.#tried.add(choice.endpoint.address)
    try {
      this.#agent.resolver.finished(choice, 'connect-error')
      if (this.#request.destroyed || this.#retries === MAX_RETRIES) return undefined
      this.#retries++
      this.#pick(failure)
    } catch (fault) {
      const { onFault } = this.#agent
      if (onFault === undefined) return fault as Error
      onFault(fault)
      return this.#ownGoal()
    }
    const next = (this.#choice as Choice | undefined)?.endpoint
    // The socket cannot change between TLS and plain text: the failure stands.
    const connection = connectionOf(this.#socket)
    if (next !== undefined && connection !== undefined && connection.secure !== this.#needsTls(next)) {
      this.#release('aborted')
      return undefined
    }
    // The failure itself is told by Node.
    return next ?? (this.#failure === failure ? undefined : this.#failure)
  }

  connected(socket: Socket): void {
    const { agent, sockets } = this.#agent
    const address = this.#choice?.endpoint?.address
    const connection = connectionOf(socket)
    if (sockets !== undefined && agent?.keepAlive === true && address !== undefined && connection !== undefined) {
      sockets.add(address, socket, agent, connection)
    }
    if ((socket as { encrypted?: boolean }).encrypted !== true) return
    const end = this.#end
    end.handshaking = true
    socket.once('secureConnect', () => {
      end.handshaking = false
    })
  }

  timingOut(): void {
    this.#end.timingOut()
  }

  cancel(error: unknown): void {
    this.#end.cancelled(error)
    // A late request has nothing yet that could end it.
    if (this.#waiting && this.#late) {
      this.#waiting = false
      this.#fail(undefined)
    }
  }

  ended(): void {
    this.#over = true
    const connection = connectionOf(this.#socket)
    if (connection?.done === false) {
      // The agent or the caller gave the connection up, not the endpoint.
      this.#end.lost()
      if (this.#socket?.destroyed === true) connection.abandon()
    }
    this.#release(undefined)
  }

  /** @param how - `undefined`: as the request itself ended */
  #release(how: 'aborted' | undefined): void {
    const choice = this.#choice
    if (choice === undefined) return
    this.#choice = undefined
    const { resolver, onFault = warnOfFault } = this.#agent
    try {
      resolver.finished(choice, how ?? this.#end.of(this.#request))
    } catch (error) {
      // The request is over: it cannot end with this.
      onFault(error)
    }
  }

  #uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#socket?.uncork()
  }

  /** @param error - `undefined` when the request is destroyed: Node then tells what the caller gave to `destroy` */
  #fail(error: Error | undefined): void {
    this.#over = true
    this.#release('aborted')
    const connection = connectionOf(this.#socket)
    if (this.#socket === undefined) classOf(this.#request).onSocket.call(this.#request, undefined, error)
    else if (connection !== undefined && !connection.done && error !== undefined) connection.fail(error)
    else this.#request.destroy(error)
  }
}

function start(hop: ServiceHop): void {
  hop.start()
}

function go(hop: ServiceHop): void {
  hop.go()
}
