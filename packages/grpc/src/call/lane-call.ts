import type { Lane } from '@laneway/core'
import { contextNow, laneOfContext, refusalOf } from '@laneway/core/internal'
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
import { CANCELLED_BY_PARENT, type CallProgress, endOf, isUnsent, responseStatus } from './call-end.js'
import { CallTrace } from './call-trace.js'
import { EndpointSearch, type Seeker } from './endpoint-search.js'
import { notifyInLane, notifyMessage, notifyMetadata, notifyStatus } from './notify-in-lane.js'
import { refusedStatus, statusOf } from './refused-status.js'
import { ReplayedCall } from './replayed-call.js'

/**
 * One call. It reads the lane of the caller when it is created. It chooses an endpoint when it is started, because only then
 * the metadata is known, which may have a tag that the caller set by hand. It is also the listener of the call on the
 * endpoint's channel, and runs what arrives there in the lane of the caller.
 */
export class LaneCall extends ReplayedCall implements GrpcCall, GrpcListener, Seeker {
  readonly args: CallArguments
  /** What is sent: it carries the tag that was decided. */
  metadata!: GrpcMetadata
  readonly #route: LaneRoute
  #listener: GrpcListener | undefined
  /** As the caller gave it. */
  #given: GrpcMetadata | undefined
  #service = ''
  #lane: Lane | undefined
  /** The endpoint of the inner call; reported to the resolver as started. */
  #choice: Choice | undefined
  /** Set when the endpoint was not connected: then the endpoint did not have the whole deadline of the caller. */
  #search: EndpointSearch | undefined
  readonly #trace: CallTrace | undefined
  #responded = false
  #cancelled = false
  #over = false

  constructor(route: LaneRoute, args: CallArguments) {
    super(contextNow())
    this.#trace = CallTrace.of(this.caller, route.retries)
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
      if (service === undefined) this.sendPlain()
      else {
        const host = target.hostname ?? ''
        this.#service = service
        this.#lane = laneOfMetadata(metadata, laneOfContext(this.caller), host, options)
        this.metadata = inScope(metadata, this.#lane, host, options, this.#trace !== undefined)
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
    this.#trace?.read(metadata)
    notifyInLane(this.caller, this.#listener!, notifyMetadata, metadata)
  }

  onReceiveMessage(message: unknown): void {
    this.#responded = true
    notifyInLane(this.caller, this.#listener!, notifyMessage, message)
  }

  onReceiveStatus(status: GrpcStatus): void {
    if (this.#over) return
    if (this.#mayMove(status)) {
      this.inner = undefined
      notifyInLane(this.caller, this.#listener!, moveOn, this)
      return
    }
    this.#over = true
    this.#trace?.ended(status, this.#progress())
    this.#release(status)
    notifyInLane(this.caller, this.#listener!, notifyStatus, status)
  }

  /** Tries another endpoint; runs in the lane of the caller. */
  moveOn(): void {
    const choice = this.#choice
    this.#choice = undefined
    if (choice !== undefined) this.#searching().failed(choice)
  }

  pick(tried: ReadonlySet<string> | undefined): Choice {
    return this.#route.handle!.pick(this.#service, this.#lane, tried)
  }

  begin(channel: GrpcChannel, choice: Choice | undefined, last: boolean): void {
    this.#choice = choice
    if (last) this.committed = true
    if (choice !== undefined) this.#trace?.begins(this.#service, this.#lane, choice)
    let inner: GrpcCall
    try {
      inner = channel.createCall(...this.args)
    } catch (error) {
      // The endpoint was removed after it was chosen.
      if (choice === undefined || channel.getConnectivityState(false) !== SHUTDOWN) throw error
      this.moveOn()
      return
    }
    this.replayOn(inner, this.metadata, this)
  }

  /** The call goes where it would without a resolver. */
  sendPlain(): void {
    const { target, options, plain } = this.#route
    const lane = laneOfContext(this.caller)
    this.metadata = byScope(this.#given!, lane, target.hosts, options, this.#trace !== undefined)
    this.#trace?.beginsPlain(target.hostname ?? '', lane, this.metadata)
    this.#search?.stop()
    this.begin(plain(), undefined, true)
  }

  missed(choice: Choice): void {
    this.#trace?.missed(this.#service, this.#lane, choice)
  }

  refuse(choice: Choice): void {
    this.#trace?.refused(this.#service, this.#lane, choice)
    this.endWithError(refusalOf(this.#route.resolver!, choice, this.#lane))
  }

  endWithError(error: Error): void {
    this.#endWith(refusedStatus(error, this.metadata))
  }

  /** Ends a call that was sent to no endpoint. */
  end(code: number, details: string): void {
    this.#endWith(this.#given === undefined ? { code, details } : statusOf(code, details, this.#given))
  }

  /** A fault of Laneway's own: under a preload the call goes on without Laneway, else it ends with the fault. */
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
   * Whether another endpoint may get the call: no endpoint has seen it, and it can be repeated. A retry policy of grpc-js may
   * have sent it before, so such a call stays with its endpoint.
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
      notifyInLane(this.caller, this.#listener!, notifyStatus, { ...status, metadata })
    })
  }

  /** @param status - `undefined` when the call was sent to no endpoint */
  #release(status: GrpcStatus | undefined): void {
    const choice = this.#search?.stop() ?? this.#choice
    this.#choice = undefined
    if (choice === undefined) return
    if (status === undefined) this.#route.finished(choice, 'aborted')
    else this.#route.finished(choice, endOf(status, this.#progress()), responseStatus(status))
  }

  #progress(): CallProgress {
    const hadAllTime = this.#search === undefined && this.halfClosed
    return { responded: this.#responded, cancelled: this.#cancelled, hadAllTime }
  }
}

function moveOn(_listener: GrpcListener, call: LaneCall): void {
  call.moveOn()
}
