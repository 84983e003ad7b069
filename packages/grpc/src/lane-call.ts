import { currentLane, emitLanewayWarning, type Lane, runInLane } from '@laneway/core'
import type { Choice, Endpoint } from '@laneway/discovery'
import { CANCELLED_BY_PARENT, endOf, isUnsent } from './call-end.js'
import { CallWait, type Waits } from './call-wait.js'
import type { EndpointChannel } from './endpoint-channel.js'
import {
  CANCELLED,
  type CallArguments,
  DEADLINE_EXCEEDED,
  type GrpcCall,
  type GrpcChannel,
  type GrpcListener,
  type GrpcMetadata,
  type GrpcStatus,
  INTERNAL,
  type MessageContext,
  READY,
  SHUTDOWN,
  TRANSIENT_FAILURE,
  UNAVAILABLE,
} from './grpc-js.js'
import type { LaneRoute } from './lane-route.js'
import { inScope, laneOfMetadata, outOfScope } from './outgoing-metadata.js'
import { refusedStatus, statusOf } from './refused-status.js'

/** Endpoints after the first, all before a byte of the call has left. */
const MAX_RETRIES = 2

/** A call that waits for a connection looks again after so many milliseconds when no endpoint can be connected. */
const WAIT_FOR_READY_MS = 500

interface Message {
  readonly context: MessageContext
  readonly message: Buffer
}

/** Never added to. */
const NONE: Message[] = []

/**
 * One call. It reads the lane of the caller when it is made, chooses an endpoint when it is started, because a tag that the
 * caller set by hand is in the metadata, and hands everything on to a call on the channel of that endpoint. It is the
 * listener of that call too: what arrives there runs in the lane of the caller, whoever opened the connection.
 */
export class LaneCall implements GrpcCall, GrpcListener, Waits {
  readonly #route: LaneRoute
  readonly #args: CallArguments
  readonly #caller: Lane | undefined = currentLane()
  #listener: GrpcListener | undefined
  /** As the caller gave it. */
  #given: GrpcMetadata | undefined
  #metadata: GrpcMetadata | undefined
  #service = ''
  #lane: Lane | undefined
  /** The call on the channel of the endpoint; `undefined` while there is none. */
  #inner: GrpcCall | undefined
  /** In use, reported as started. */
  #choice: Choice | undefined
  /** Addresses that failed before anything was sent. */
  #tried: Set<string> | undefined
  #retries = 0
  #looked = false
  #wait: CallWait | undefined
  /** The endpoint has not had all the time of the caller. */
  #delayed = false
  /** What has to be said again to another call, as long as that is possible. */
  #messages: Message[] = NONE
  /** Too much was said to keep it. */
  #committed = false
  #reads = 0
  #halfClosed = false
  #credentials: unknown
  #responded = false
  #cancelled = false
  #over = false

  constructor(route: LaneRoute, args: CallArguments) {
    this.#route = route
    this.#args = args
  }

  start(metadata: GrpcMetadata, listener: GrpcListener): void {
    this.#listener = listener
    this.#given = metadata
    if (this.#over) return
    try {
      const { options, target } = this.#route
      const service = this.#route.service()
      if (service === undefined) this.#leave()
      else {
        this.#service = service
        this.#lane = laneOfMetadata(metadata, this.#caller, target.hostname ?? '', options)
        this.#metadata = inScope(metadata, this.#lane, target.hostname ?? '', options)
        this.#choose(undefined)
      }
    } catch (fault) {
      this.#fault(fault)
    }
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    const bound = context.callback === undefined ? context : this.#bound(context)
    if (!this.#committed) {
      // A second message, or one whose writer is told that it has left, cannot be said again.
      if (this.#inner !== undefined && (this.#messages.length > 0 || bound.callback !== undefined)) this.#commit()
      else if (this.#messages === NONE) this.#messages = [{ context: bound, message }]
      else this.#messages.push({ context: bound, message })
    }
    this.#inner?.sendMessageWithContext(bound, message)
  }

  startRead(): void {
    this.#reads++
    this.#inner?.startRead()
  }

  halfClose(): void {
    this.#halfClosed = true
    this.#inner?.halfClose()
  }

  setCredentials(credentials: unknown): void {
    this.#credentials = credentials
    this.#inner?.setCredentials(credentials)
  }

  cancelWithStatus(code: number, details: string): void {
    this.#cancelled = true
    if (this.#inner !== undefined) this.#inner.cancelWithStatus(code, details)
    else this.#end(code, details)
  }

  deadlineExceeded(details: string): void {
    this.#end(DEADLINE_EXCEEDED, details)
  }

  parentCancelled(): void {
    this.cancelWithStatus(CANCELLED, CANCELLED_BY_PARENT)
  }

  getPeer(): string {
    return this.#inner?.getPeer() ?? this.#route.target.authority
  }

  getCallNumber(): number {
    return this.#inner?.getCallNumber() ?? 0
  }

  getAuthContext(): unknown {
    return this.#inner?.getAuthContext?.() ?? null
  }

  getDeadlineInfo(): string[] {
    return ['waiting for an endpoint']
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    this.#responded = true
    this.#commit()
    this.#inLane(tellMetadata, metadata)
  }

  onReceiveMessage(message: unknown): void {
    this.#responded = true
    this.#inLane(tellMessage, message)
  }

  onReceiveStatus(status: GrpcStatus): void {
    if (this.#over) return
    if (this.#mayMove(status)) {
      this.#inner = undefined
      this.#inLane(moveOn, this)
      return
    }
    this.#over = true
    this.#release(status)
    this.#wait?.end()
    this.#inLane(tellStatus, status)
  }

  /** Told by {@link moveOn}. */
  moveOn(): void {
    const endpoint = this.#choice?.endpoint
    if (endpoint !== undefined) this.#connectFailed(endpoint, undefined, this.#route.channels!.peek(endpoint))
  }

  #inLane<A>(tell: (listener: GrpcListener, what: A) => void, what: A): void {
    const listener = this.#listener!
    if (currentLane() === this.#caller) tell(listener, what)
    else runInLane(this.#caller, tell, listener, what)
  }

  /** The writer goes on when it is told that a message has left: in its own lane. */
  #bound({ callback, flags }: MessageContext): MessageContext {
    const told = (error?: Error | null) => runInLane(this.#caller, () => callback?.(error))
    return flags === undefined ? { callback: told } : { callback: told, flags }
  }

  /** @param failed - why the endpoint before has no channel */
  #choose(failed: Error | undefined): void {
    const { resolver } = this.#route
    const choice = resolver!.pick(this.#service, this.#lane, this.#tried)
    const { endpoint } = choice
    if (endpoint === undefined) {
      if (choice.outcome === 'not-ready' && !this.#looked) this.#lookup()
      else this.#refuse(choice)
      return
    }
    resolver!.started(choice)
    this.#choice = choice
    if (this.#tried?.has(endpoint.address) === true) {
      // Every endpoint that may serve has failed.
      this.#giveUp(this.#route.channels!.peek(endpoint), failed)
      return
    }
    const channel = this.#route.channels!.get(endpoint)
    if (channel === undefined) this.#open(endpoint)
    else if (channel.connect() === READY) this.#begin(channel.channel)
    else this.#connect(endpoint, channel)
  }

  /** The sources have not answered about the service yet. */
  #lookup(): void {
    this.#looked = true
    const proceed = (error?: Error) => {
      if (this.#over) return
      this.#waiting().run(() => this.#found(error))
    }
    this.#waiting()
    this.#route.resolver!.lookup(this.#service).then(() => proceed(), proceed)
  }

  #found(error: Error | undefined): void {
    try {
      if (this.#route.service() === undefined) this.#leave()
      else if (error !== undefined) this.#endWith(refusedStatus(error, this.#metadata!))
      else this.#choose(undefined)
    } catch (fault) {
      this.#fault(fault)
    }
  }

  #open(endpoint: Endpoint): void {
    const wait = this.#waiting()
    const opened = (error: Error | undefined, channel: EndpointChannel | undefined) => {
      if (this.#over || this.#choice?.endpoint !== endpoint) return
      wait.rest()
      wait.run(() => {
        if (channel === undefined) this.#connectFailed(endpoint, error)
        else this.#connect(endpoint, channel)
      })
    }
    wait.until(undefined, this.#route.options.connectTimeoutMs, () => this.#connectFailed(endpoint))
    this.#route.channels!.open(endpoint, opened)
  }

  #connect(endpoint: Endpoint, channel: EndpointChannel): void {
    const state = channel.connect()
    if (state === READY) this.#begin(channel.channel)
    else if (state === TRANSIENT_FAILURE || state === SHUTDOWN) this.#connectFailed(endpoint, undefined, channel)
    else {
      const wait = this.#waiting()
      const stop = channel.watch(now => {
        if (now !== READY && now !== TRANSIENT_FAILURE && now !== SHUTDOWN) return
        wait.rest()
        wait.run(() => this.#connect(endpoint, channel))
      })
      wait.until(stop, this.#route.options.connectTimeoutMs, () => this.#connectFailed(endpoint, undefined, channel))
    }
  }

  #connectFailed(endpoint: Endpoint, failure?: Error, channel?: EndpointChannel): void {
    if (this.#over) return
    const { resolver, channels } = this.#route
    const choice = this.#choice
    this.#choice = undefined
    this.#delayed = true
    this.#tried ??= new Set()
    this.#tried.add(endpoint.address)
    try {
      if (choice !== undefined) {
        // A channel that was closed says that its endpoint has left, not that it is ill.
        const gone = channel?.channel.getConnectivityState(false) === SHUTDOWN
        resolver!.finished(choice, gone ? 'aborted' : 'connect-error')
      }
      channels!.failed(endpoint)
      if (this.#retries++ < MAX_RETRIES) this.#choose(failure)
      else this.#giveUp(channels!.peek(endpoint), failure)
    } catch (fault) {
      this.#fault(fault)
    }
  }

  /**
   * A call that waits for a connection begins again. Another one is left to the channel of its endpoint: it ends with what
   * grpc-js says about the connection, or is sent when that is slow and comes after all.
   *
   * @param failure - why the endpoint has no channel
   */
  #giveUp(channel: EndpointChannel | undefined, failure: Error | undefined): void {
    if (this.#metadata?.getOptions().waitForReady === true) {
      this.#release(undefined)
      this.#waiting().until(undefined, WAIT_FOR_READY_MS, () => {
        this.#tried = undefined
        this.#retries = 0
        try {
          this.#choose(undefined)
        } catch (fault) {
          this.#fault(fault)
        }
      })
      return
    }
    this.#committed = true
    // It has been told of this failure.
    if (channel?.channel.getConnectivityState(false) === TRANSIENT_FAILURE) this.#release(undefined)
    if (channel !== undefined) this.#begin(channel.channel)
    else if (failure !== undefined) this.#endWith(refusedStatus(failure, this.#metadata!))
    else this.#end(UNAVAILABLE, `No connection established: no endpoint of ${this.#service} can be connected`)
  }

  #refuse(choice: Choice): void {
    const error = this.#route.resolver!.refusal(choice, this.#lane)
    this.#endWith(refusedStatus(error, this.#metadata!))
  }

  #waiting(): CallWait {
    this.#delayed = true
    this.#wait ??= new CallWait(this, this.#args)
    return this.#wait
  }

  /** The call goes where it would without a resolver. */
  #leave(): void {
    const { target, options, plain } = this.#route
    const metadata = this.#given!
    const { hosts } = target
    if (hosts.length > 0 && hosts.every(host => options.scope.includes(host))) {
      const lane = laneOfMetadata(metadata, this.#caller, hosts[0]!, options)
      this.#metadata = inScope(metadata, lane, hosts[0]!, options)
    } else this.#metadata = hosts.length === 0 ? metadata : outOfScope(metadata, this.#caller, hosts, options)
    this.#committed = true
    this.#begin(plain())
  }

  #begin(channel: GrpcChannel): void {
    this.#wait?.end()
    this.#wait = undefined
    let inner: GrpcCall
    try {
      inner = channel.createCall(...this.#args)
    } catch (error) {
      // The endpoint has left since.
      const endpoint = this.#choice?.endpoint
      if (endpoint === undefined || channel.getConnectivityState(false) !== SHUTDOWN) throw error
      this.#connectFailed(endpoint)
      return
    }
    if (this.#credentials !== undefined) inner.setCredentials(this.#credentials)
    this.#inner = inner
    inner.start(this.#metadata!, this)
    for (let read = 0; read < this.#reads; read++) inner.startRead()
    for (const { context, message } of this.#messages) inner.sendMessageWithContext(context, message)
    if (this.#halfClosed) inner.halfClose()
    if (this.#committed || this.#messages.length > 1 || this.#messages[0]?.context.callback !== undefined)
      this.#commit()
  }

  /** From now on the call stays where it is. */
  #commit(): void {
    this.#committed = true
    this.#messages = NONE
  }

  /**
   * Nobody has seen the call, and it can be said again. A retry policy stays within the endpoint: the attempt before may have
   * been seen.
   */
  #mayMove(status: GrpcStatus): boolean {
    if (this.#committed || this.#cancelled || this.#responded || this.#choice === undefined) return false
    return !this.#route.retries && isUnsent(status)
  }

  /** Ends a call that no endpoint has. */
  #end(code: number, details: string): void {
    this.#endWith(this.#given === undefined ? { code, details } : statusOf(code, details, this.#given))
  }

  #endWith(status: Omit<GrpcStatus, 'metadata'> & { metadata?: GrpcMetadata }): void {
    if (this.#over) return
    this.#over = true
    this.#wait?.end()
    this.#release(undefined)
    process.nextTick(() => {
      if (this.#listener === undefined) return
      const metadata = status.metadata ?? statusOf(0, '', this.#given!).metadata
      this.#inLane(tellStatus, { ...status, metadata })
    })
  }

  /** @param status - `undefined`: no endpoint has had the call */
  #release(status: GrpcStatus | undefined): void {
    const choice = this.#choice
    if (choice === undefined) return
    this.#choice = undefined
    const hadAllTime = !this.#delayed && this.#halfClosed
    const progress = { responded: this.#responded, cancelled: this.#cancelled, hadAllTime }
    try {
      this.#route.resolver!.finished(choice, status === undefined ? 'aborted' : endOf(status, progress))
    } catch (error) {
      // The call is over: it cannot end with this.
      const { onFault } = this.#route.options
      if (onFault === undefined) emitLanewayWarning(`a resolver failed when it was told of an end: ${error}`)
      else onFault(error)
    }
  }

  /** A fault of Laneway's own: the call ends with it, or does without Laneway. */
  #fault(fault: unknown): void {
    const { onFault } = this.#route.options
    if (onFault === undefined || this.#inner !== undefined) {
      this.#end(INTERNAL, `a fault of Laneway: ${(fault as Error)?.message ?? fault}`)
      return
    }
    onFault(fault)
    this.#release(undefined)
    this.#metadata = this.#given
    this.#committed = true
    this.#begin(this.#route.plain())
  }
}

function tellMetadata(listener: GrpcListener, metadata: GrpcMetadata): void {
  listener.onReceiveMetadata(metadata)
}

function tellMessage(listener: GrpcListener, message: unknown): void {
  listener.onReceiveMessage(message)
}

function tellStatus(listener: GrpcListener, status: GrpcStatus): void {
  listener.onReceiveStatus(status)
}

function moveOn(_listener: GrpcListener, call: LaneCall): void {
  call.moveOn()
}
