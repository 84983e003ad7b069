import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { kAnyAddress } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import { awaitConnect, type ConnectWatcher } from './await-connect.js'
import { HopEnd, warnOfFault } from './hop-end.js'
import type { EgressResolver } from './lane-agent-options.js'
import { noEndpoint } from './no-endpoint.js'
import { classOf, type HopOptions } from './node-internals.js'
import type { OutgoingLane } from './outgoing-lane.js'
import { hookRequest, type RequestWatcher, unhookRequest } from './request-hooks.js'

/** Connection attempts of a request after the first, all before a byte of it has left. */
const MAX_RETRIES = 2

/** Marks the options of a connection to an endpoint of a service; the value is the endpoint's address. */
export const kEndpoint: unique symbol = Symbol('laneway.endpoint')

/** What a hop needs of its agent. */
export interface HopAgent {
  readonly resolver: EgressResolver
  readonly connectTimeoutMs: number
  /** See `ResolvedLaneAgentOptions`. */
  readonly onFault: ((error: unknown) => void) | undefined
  /** `http.Agent.prototype.addRequest`. */
  connect(request: ClientRequest, options: HopOptions): void
}

/**
 * One request to a service: waits for the first snapshot, picks, connects, and picks again when the connection fails. The
 * request gets its socket when that is connected, so a failed attempt stays unseen and no byte has left before.
 */
export class ServiceHop implements ConnectWatcher, RequestWatcher {
  readonly #request: ClientRequest
  readonly #outgoing: OutgoingLane
  readonly #service: string
  readonly #options: HopOptions
  readonly #agent: HopAgent
  readonly #end = new HopEnd()
  /** In use, reported as started. */
  #choice: Choice | undefined
  /** Addresses that failed before any response byte. */
  #tried: Set<string> | undefined
  #retries = 0
  #waited = false
  /** Ends what the request waits for, while no socket is its own. */
  #abandon: (() => void) | undefined
  #over = false
  #connecting = false

  constructor(agent: HopAgent, request: ClientRequest, outgoing: OutgoingLane, service: string, options: HopOptions) {
    this.#agent = agent
    this.#request = request
    this.#outgoing = outgoing
    this.#service = service
    this.#options = options
    hookRequest(request, this)
    // One tick later, so that a tag which the caller sets on the returned request still is the lane of the pick.
    process.nextTick(begin, this)
  }

  begin(): void {
    if (this.#request.destroyed) {
      this.#fail(undefined)
      return
    }
    try {
      this.#outgoing.settleBeforePick()
      this.#pick(undefined)
    } catch (error) {
      this.#fault(error)
    }
  }

  /** Nobody above could catch it: the request ends with it, or does without Laneway. */
  #fault(error: unknown): void {
    const { onFault } = this.#agent
    if (onFault === undefined) this.#fail(error as Error)
    else {
      onFault(error)
      this.#leave()
    }
  }

  /** @param failure - of the attempt before, `undefined` for the first */
  #pick(failure: Error | undefined): void {
    const { lane } = this.#outgoing
    const choice = this.#agent.resolver.pick(this.#service, lane, this.#tried)
    const { endpoint } = choice
    if (endpoint === undefined) {
      if (choice.outcome === 'not-ready' && !this.#waited) this.#wait()
      else this.#fail(noEndpoint(choice, lane, failure))
    } else if (failure !== undefined && this.#tried?.has(endpoint.address) === true) this.#fail(failure)
    else this.#connect(choice)
  }

  #wait(): void {
    this.#waited = true
    this.#end.delayed = true
    let awaited = true
    const done = (error?: Error) => {
      if (!awaited) return
      this.#abandon = undefined
      try {
        if (this.#isNoService()) this.#leave()
        else if (error === undefined) this.#pick(undefined)
        else this.#fail(error)
      } catch (fault) {
        this.#fault(fault)
      }
    }
    this.#abandon = () => {
      awaited = false
    }
    this.#agent.resolver.ready(this.#service).then(() => done(), done)
  }

  /** Only with a snapshot the ports of a service are known, or that no registry has it. */
  #isNoService(): boolean {
    const { hostname, port, secure, originForm } = this.#outgoing.target
    // A request that was meant for a proxy has lost what the proxy needs.
    return originForm === undefined && this.#agent.resolver.match(hostname, port, secure) === undefined
  }

  /** Gives the request back to the agent, to go where it would without a resolver. */
  #leave(): void {
    unhookRequest(this.#request)
    try {
      this.#outgoing.leaveService()
      this.#agent.connect(this.#request, this.#outgoing.hop)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #connect(choice: Choice): void {
    const endpoint = choice.endpoint!
    const { host, port, address } = endpoint
    this.#agent.resolver.started(choice)
    this.#choice = choice
    const options = this.#options
    options.host = host
    options.hostname = host
    options.port = port
    options[kEndpoint] = address
    options[kAnyAddress] = (endpoint as { [kAnyAddress]?: true })[kAnyAddress]
    this.#connecting = true
    try {
      this.#agent.connect(this.#request, options)
    } catch (error) {
      this.failed(error as Error)
    } finally {
      this.#connecting = false
    }
  }

  received(socket: Socket | undefined, error: Error | null | undefined): void {
    if (error !== null && error !== undefined) {
      this.failed(error)
      return
    }
    this.#end.reached = socket !== undefined && this.#connecting
    if (this.#request.destroyed || !socket?.connecting) this.#deliver(socket)
    else this.#abandon = awaitConnect(socket, this.#agent.connectTimeoutMs, this)
  }

  connected(socket: Socket): void {
    this.#abandon = undefined
    if ((socket as { encrypted?: boolean }).encrypted === true) {
      const end = this.#end
      end.handshaking = true
      socket.once('secureConnect', () => {
        end.handshaking = false
      })
    }
    this.#deliver(socket)
  }

  failed(error: Error): void {
    const choice = this.#choice
    this.#abandon = undefined
    this.#choice = undefined
    if (choice?.endpoint === undefined) {
      this.#fail(error)
      return
    }
    this.#end.delayed = true
    this.#tried ??= new Set()
    this.#tried.add(choice.endpoint.address)
    try {
      this.#agent.resolver.finished(choice, 'connect-error')
      if (this.#request.destroyed || this.#retries === MAX_RETRIES) this.#fail(error)
      else {
        this.#retries++
        this.#pick(error)
      }
    } catch (fault) {
      this.#fault(fault)
    }
  }

  closed(): void {
    this.#abandon = undefined
    this.#end.cancelled(undefined)
    this.#fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))
  }

  timedOut(): void {
    this.#request.emit('timeout')
  }

  timingOut(): void {
    this.#end.timingOut()
  }

  cancel(error: unknown): void {
    this.#end.cancelled(error)
    const abandon = this.#abandon
    if (abandon === undefined) return
    this.#abandon = undefined
    abandon()
    this.#fail(undefined)
  }

  ended(): void {
    const choice = this.#choice
    if (choice === undefined) return
    this.#choice = undefined
    const { resolver, onFault = warnOfFault } = this.#agent
    try {
      resolver.finished(choice, this.#end.of(this.#request))
    } catch (error) {
      // The request is over: it cannot end with this.
      onFault(error)
    }
  }

  #deliver(socket: Socket | undefined): void {
    classOf(this.#request).onSocket.call(this.#request, socket)
  }

  /** @param error - `undefined` when the request is destroyed: Node then tells what the caller gave to `destroy` */
  #fail(error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    classOf(this.#request).onSocket.call(this.#request, undefined, error)
  }
}

function begin(hop: ServiceHop): void {
  hop.begin()
}
