import { currentLane, type Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { LaneRoute } from '../client/lane-route.js'
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
  READY,
  SHUTDOWN,
} from '../grpc-js.js'
import { byScope, inScope, laneOfMetadata } from '../outgoing-metadata.js'
import { CANCELLED_BY_PARENT, endOf, isUnsent, responseStatus } from './call-end.js'
import { EndpointSearch, type Seeker } from './endpoint-search.js'
import { tellInLane, tellMessage, tellMetadata, tellStatus } from './lane-listener.js'
import { refusedStatus, statusOf } from './refused-status.js'
import { ReplayedCall } from './replayed-call.js'

/**
 * One call. It reads the lane of the caller when it is made, and chooses an endpoint when it is started, because a tag that
 * the caller set by hand is in the metadata. It is the listener of the call on the endpoint's channel too: what arrives
 * there runs in the lane of the caller, whoever opened the connection.
 */
export class LaneCall extends ReplayedCall implements GrpcCall, GrpcListener, Seeker {
  readonly args: CallArguments
  /** Says what was decided. */
  metadata!: GrpcMetadata
  readonly #route: LaneRoute
  #listener: GrpcListener | undefined
  /** As the caller gave it. */
  #given: GrpcMetadata | undefined
  #service = ''
  #lane: Lane | undefined
  /** In use by the inner call, reported as started. */
  #choice: Choice | undefined
  /** Only of calls whose endpoint was not connected; it had not all the time of the caller then. */
  #search: EndpointSearch | undefined
  #responded = false
  #cancelled = false
  #over = false

  constructor(route: LaneRoute, args: CallArguments) {
    super(currentLane())
    this.#route = route
    this.args = args
  }

  start(metadata: GrpcMetadata, listener: GrpcListener): void {
    this.#listener = listener
    this.#given = metadata
    if (this.#over) return
    try {
      const { options, target } = this.#route
      const service = this.#route.service()
      if (service === undefined) this.leave()
      else {
        const host = target.hostname ?? ''
        this.#service = service
        this.#lane = laneOfMetadata(metadata, this.caller, host, options)
        this.metadata = inScope(metadata, this.#lane, host, options)
        this.#choose()
      }
    } catch (fault) {
      this.fault(fault)
    }
  }

  cancelWithStatus(code: number, details: string): void {
    this.#cancelled = true
    if (this.inner !== undefined) this.inner.cancelWithStatus(code, details)
    else this.end(code, details)
  }

  deadlineExceeded(details: string): void {
    this.end(DEADLINE_EXCEEDED, details)
  }

  parentCancelled(): void {
    this.cancelWithStatus(CANCELLED, CANCELLED_BY_PARENT)
  }

  getPeer(): string {
    return this.inner?.getPeer() ?? this.#route.target.authority
  }

  getDeadlineInfo(): string[] {
    return ['waiting for an endpoint']
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    this.#responded = true
    this.commit()
    tellInLane(this.caller, this.#listener!, tellMetadata, metadata)
  }

  onReceiveMessage(message: unknown): void {
    this.#responded = true
    tellInLane(this.caller, this.#listener!, tellMessage, message)
  }

  onReceiveStatus(status: GrpcStatus): void {
    if (this.#over) return
    if (this.#mayMove(status)) {
      this.inner = undefined
      tellInLane(this.caller, this.#listener!, moveOn, this)
      return
    }
    this.#over = true
    this.#release(status)
    tellInLane(this.caller, this.#listener!, tellStatus, status)
  }

  /** Told by {@link moveOn}. */
  moveOn(): void {
    const choice = this.#choice
    this.#choice = undefined
    if (choice !== undefined) this.#searching().failed(choice)
  }

  pick(tried: ReadonlySet<string> | undefined): Choice {
    return this.#route.resolver!.pick(this.#service, this.#lane, tried)
  }

  begin(channel: GrpcChannel, choice: Choice | undefined, last: boolean): void {
    this.#choice = choice
    if (last) this.committed = true
    let inner: GrpcCall
    try {
      inner = channel.createCall(...this.args)
    } catch (error) {
      // The endpoint has left since.
      if (choice === undefined || channel.getConnectivityState(false) !== SHUTDOWN) throw error
      this.moveOn()
      return
    }
    this.replayOn(inner, this.metadata, this)
  }

  /** The call goes where it would without a resolver. */
  leave(): void {
    const { target, options, plain } = this.#route
    this.metadata = byScope(this.#given!, this.caller, target.hosts, options)
    this.#search?.stop()
    this.begin(plain(), undefined, true)
  }

  refuse(choice: Choice): void {
    this.endWithError(this.#route.resolver!.refusal(choice, this.#lane))
  }

  endWithError(error: Error): void {
    this.#endWith(refusedStatus(error, this.metadata))
  }

  /** Ends a call that no endpoint has. */
  end(code: number, details: string): void {
    this.#endWith(this.#given === undefined ? { code, details } : statusOf(code, details, this.#given))
  }

  /** A fault of Laneway's own: the call ends with it, or does without Laneway. */
  fault(fault: unknown): void {
    const { onFault } = this.#route.options
    if (onFault === undefined || this.inner !== undefined) {
      this.end(INTERNAL, `a fault of Laneway: ${(fault as Error)?.message ?? fault}`)
      return
    }
    onFault(fault)
    this.#release(undefined)
    this.metadata = this.#given!
    this.begin(this.#route.plain(), undefined, true)
  }

  #choose(): void {
    const { resolver, channels } = this.#route
    const choice = this.pick(undefined)
    const channel = choice.endpoint && channels!.peek(choice.endpoint)
    if (channel?.connect() !== READY) {
      this.#searching().use(choice)
      return
    }
    resolver!.started(choice)
    this.begin(channel.channel, choice, false)
  }

  #searching(): EndpointSearch {
    this.#search ??= new EndpointSearch(this, this.#route, this.#service)
    return this.#search
  }

  /**
   * Nobody has seen the call, and it can be repeated. A retry policy stays within the endpoint: the attempt before may have
   * been seen.
   */
  #mayMove(status: GrpcStatus): boolean {
    if (this.committed || this.#cancelled || this.#responded || this.#choice === undefined) return false
    return !this.#route.retries && isUnsent(status)
  }

  #endWith(status: Omit<GrpcStatus, 'metadata'> & { metadata?: GrpcMetadata }): void {
    if (this.#over) return
    this.#over = true
    this.#release(undefined)
    process.nextTick(() => {
      if (this.#listener === undefined) return
      const metadata = status.metadata ?? statusOf(0, '', this.#given!).metadata
      tellInLane(this.caller, this.#listener!, tellStatus, { ...status, metadata })
    })
  }

  /** @param status - `undefined`: no endpoint has had the call */
  #release(status: GrpcStatus | undefined): void {
    const choice = this.#search?.stop() ?? this.#choice
    this.#choice = undefined
    if (choice === undefined) return
    const hadAllTime = this.#search === undefined && this.halfClosed
    const progress = { responded: this.#responded, cancelled: this.#cancelled, hadAllTime }
    if (status === undefined) this.#route.finished(choice, 'aborted')
    else this.#route.finished(choice, endOf(status, progress), responseStatus(status))
  }
}

function moveOn(_listener: GrpcListener, call: LaneCall): void {
  call.moveOn()
}
