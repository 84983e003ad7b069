import { errorMonitor } from 'node:events'
import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Choice, ChoiceEnd } from '@laneway/discovery'
import { awaitConnect, type ConnectWatcher } from './await-connect.js'
import type { EgressResolver } from './lane-agent-options.js'
import { noEndpoint } from './no-endpoint.js'
import { classOf, type HopOptions } from './node-internals.js'
import type { OutgoingLane } from './outgoing-lane.js'

/** Connection attempts of a request after the first, all before a byte of it has left. */
const MAX_RETRIES = 2

/** The second is that of axios, unless it was told otherwise. */
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ECONNABORTED', 'ESOCKETTIMEDOUT'])

/** Marks the options of a connection to an endpoint of a service; the value is the endpoint's address. */
export const kEndpoint: unique symbol = Symbol('laneway.endpoint')

const kHop = Symbol('laneway.hop')

type HopRequest = ClientRequest & { [kHop]: ServiceHop }

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
export class ServiceHop implements ConnectWatcher {
  readonly #request: ClientRequest
  readonly #outgoing: OutgoingLane
  readonly #service: string
  readonly #options: HopOptions
  readonly #agent: HopAgent
  /** In use, reported as started. */
  #choice: Choice | undefined
  /** Addresses that failed before any response byte. */
  #tried: Set<string> | undefined
  #retries = 0
  #waited = false
  /** Ends what the request waits for, while no socket is its own. */
  #abandon: (() => void) | undefined
  #over = false
  #cancelled = false
  /** The caller gave up because its time was over. */
  #late = false
  /** While listeners are told of a timeout. */
  #timingOut = false
  #connecting = false
  /** It got a socket at once, so the endpoint had all the time that the caller gave. */
  #reached = false
  #handshaking = false

  constructor(agent: HopAgent, request: ClientRequest, outgoing: OutgoingLane, service: string, options: HopOptions) {
    this.#agent = agent
    this.#request = request
    this.#outgoing = outgoing
    this.#service = service
    this.#options = options
    const hooked = request as unknown as { [kHop]: ServiceHop; onSocket: unknown; destroy: unknown }
    hooked[kHop] = this
    hooked.onSocket = onSocket
    hooked.destroy = destroy
    // The first listener: it hears of the timeout before the caller gives up because of it.
    request.on('timeout', onTimeout)
    request.once('close', onEnd)
    // Before the caller hears of the error and tries again. Not 'error', which would take it for handled.
    request.once(errorMonitor, onEnd)
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
    if (onFault === undefined || this.#choice !== undefined) {
      this.#fail(error as Error)
      return
    }
    onFault(error)
    this.#leave()
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
    let awaited = true
    const done = (error?: Error) => {
      if (!awaited) return
      this.#abandon = undefined
      if (this.#isNoService()) this.#leave()
      else if (error === undefined) this.#pick(undefined)
      else this.#fail(error)
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
    const hooked = this.#request as unknown as { onSocket?: unknown; destroy?: unknown }
    delete hooked.onSocket
    delete hooked.destroy
    try {
      this.#outgoing.leaveService()
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    this.#agent.connect(this.#request, this.#outgoing.hop)
  }

  #connect(choice: Choice): void {
    const { host, port, address } = choice.endpoint!
    this.#choice = choice
    this.#agent.resolver.started(choice)
    const options = this.#options
    options.host = host
    options.hostname = host
    options.port = port
    options[kEndpoint] = address
    this.#connecting = true
    try {
      this.#agent.connect(this.#request, options)
    } catch (error) {
      this.failed(error as Error)
    } finally {
      this.#connecting = false
    }
  }

  /** The agent has a socket for the request, or the reason why it has none. */
  received(socket: Socket | undefined, error: Error | null | undefined): void {
    if (error !== null && error !== undefined) {
      this.failed(error)
      return
    }
    this.#reached = socket !== undefined && this.#connecting
    if (this.#request.destroyed || !socket?.connecting) this.#deliver(socket)
    else this.#abandon = awaitConnect(socket, this.#agent.connectTimeoutMs, this)
  }

  connected(socket: Socket): void {
    this.#abandon = undefined
    if ((socket as { encrypted?: boolean }).encrypted === true) {
      this.#handshaking = true
      socket.once('secureConnect', () => {
        this.#handshaking = false
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
    this.#agent.resolver.finished(choice, 'connect-error')
    this.#tried ??= new Set()
    this.#tried.add(choice.endpoint.address)
    if (this.#request.destroyed || this.#retries === MAX_RETRIES) {
      this.#fail(error)
      return
    }
    this.#retries++
    this.#pick(error)
  }

  closed(): void {
    this.#abandon = undefined
    this.#cancelled = true
    this.#fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))
  }

  timedOut(): void {
    this.#request.emit('timeout')
  }

  /** Those who listen are about to be told that the request is idle for the time they set. */
  timingOut(): void {
    this.#timingOut = true
    process.nextTick(endTimingOut, this)
  }

  notTimingOut(): void {
    this.#timingOut = false
  }

  /** The caller gave up. */
  cancel(error: unknown): void {
    this.#cancelled = true
    this.#late = this.#timingOut || isTimeout(error)
    const abandon = this.#abandon
    if (abandon === undefined) return
    this.#abandon = undefined
    abandon()
    this.#fail(undefined)
  }

  /** The request is over, one way or another. */
  ended(): void {
    const choice = this.#choice
    if (choice === undefined) return
    this.#choice = undefined
    this.#agent.resolver.finished(choice, this.#end())
  }

  #end(): ChoiceEnd {
    // Set when the head of a response has arrived, and stays.
    if ((this.#request as { res?: unknown }).res) return 'ok'
    if (this.#cancelled) return this.#late && this.#hadAllTime() ? 'timeout' : 'aborted'
    return this.#handshaking ? 'connect-error' : 'reset'
  }

  /** Time that went by in a queue, or at another endpoint, says nothing about this one. */
  #hadAllTime(): boolean {
    return this.#reached && !this.#waited && this.#tried === undefined
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

function onSocket(this: HopRequest, socket: Socket | undefined, error?: Error): void {
  this[kHop].received(socket, error)
}

function destroy(this: HopRequest, error?: Error): ClientRequest {
  const first = !this.destroyed
  classOf(this).destroy.call(this, error)
  if (first) this[kHop].cancel(error)
  return this
}

function onTimeout(this: HopRequest): void {
  this[kHop].timingOut()
}

function endTimingOut(hop: ServiceHop): void {
  hop.notTimingOut()
}

/** What axios and got destroy a request with, or an `AbortSignal.timeout()`, when its time is over. */
function isTimeout(error: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown }
  if (name === 'TimeoutError' || (typeof code === 'string' && TIMEOUT_CODES.has(code))) return true
  return name === 'AbortError' && (Object(cause) as { name?: unknown }).name === 'TimeoutError'
}

function onEnd(this: HopRequest): void {
  this[kHop].ended()
}
