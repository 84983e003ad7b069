import { bindEmitter, runInLane } from '@laneway/core'
import type { TracedCall } from '@laneway/core/internal'
import type { Call, Target } from '../call/call.js'
import { forgetCall, isInLane, reportInContext } from '../call/decide.js'
import type { DispatchHandler, DispatchOptions } from '../dispatcher/dispatcher.js'
import type { LaneRoute } from '../dispatcher/route.js'
import type { Attempt } from '../hop/attempt.js'
import type { ServiceHop } from '../hop/service-hop.js'
import type { PlainHeaders } from '../sent/headers.js'

/**
 * Stands between undici and the handler of a dispatch: calls it in the lane of the caller, reports the end of the attempt to
 * its hop, and keeps the call's decision until the call ends. Subclasses have the methods of one generation of handlers and
 * no others, because undici 7 tells the generations apart by their methods.
 */
export abstract class Exchange implements Attempt {
  settled = false
  target: Target | undefined = undefined
  /** Set when the target is a service. */
  hop: ServiceHop | undefined = undefined
  asksPath = false
  traced: TracedCall | undefined = undefined
  /** Set on the outermost exchange of a call, which keeps its decision. */
  outermost = false
  /** The mark in `Vary`: added below the user's interceptors, removed above them. */
  vary: string | undefined = undefined
  protected success = false

  constructor(
    readonly route: LaneRoute,
    readonly call: Call,
    readonly options: DispatchOptions,
    readonly headers: PlainHeaders,
    readonly handler: DispatchHandler,
  ) {}

  onResponseStarted(): void {
    if (this.hop !== undefined) this.hop.responded = true
    const { handler, call } = this
    if (handler.onResponseStarted === undefined) return
    if (isInLane(call.ambient)) handler.onResponseStarted()
    else runInLane(call.ambient, responseStarted, handler)
  }

  onBodySent(chunk: unknown): void {
    const { handler, call } = this
    if (handler.onBodySent === undefined) return
    if (isInLane(call.ambient)) handler.onBodySent(chunk)
    else runInLane(call.ambient, bodySent, handler, chunk)
  }

  onRequestSent(): void {
    const { handler, call } = this
    if (handler.onRequestSent === undefined) return
    if (isInLane(call.ambient)) handler.onRequestSent()
    else runInLane(call.ambient, requestSent, handler)
  }

  /** Reports an error to the handler, once. The handler may dispatch again, now or later, and keeps its decision then. */
  fail(error: unknown): void {
    if (this.settled) return
    this.settled = true
    const { call } = this
    if (!this.outermost) {
      if (isInLane(call.ambient)) this.passError(error)
      else runInLane(call.ambient, passError, this, error)
      return
    }
    call.open = false
    call.ending = true
    try {
      reportInContext(call, passError, this, error)
    } finally {
      call.ending = false
    }
  }

  /** Ends the attempt with an error of undici, unless its hop goes on to another endpoint. */
  protected failAttempt(error: unknown): void {
    const reported = this.hop === undefined ? error : this.hop.fail(error)
    if (reported !== undefined) this.traced?.failed(Object(error).name === 'AbortError' ? 'aborted' : 'error')
    if (reported !== undefined || error === undefined) this.fail(reported)
  }

  /** Reports the end of a response to the handler. */
  protected complete(trailers: unknown): void {
    this.hop?.end('ok')
    if (!this.outermost) {
      this.reportEnd(trailers)
      return
    }
    const { call } = this
    const { dispatched } = call
    call.open = false
    call.ending = true
    try {
      if (this.success) this.reportEnd(trailers)
      else reportInContext(call, passEnd, this, trailers)
    } finally {
      call.ending = false
    }
    this.settled = true
    // If it was dispatched again meanwhile, a redirect or a retry outside Laneway continues the call.
    if (call.dispatched === dispatched) forgetCall(this.handler)
  }

  private reportEnd(trailers: unknown): void {
    if (isInLane(this.call.ambient)) this.passEnd(trailers)
    else runInLane(this.call.ambient, passEnd, this, trailers)
  }

  /** The connection becomes the caller's own. */
  protected upgrade(socket: unknown): void {
    this.traced?.responded(101, undefined)
    this.hop?.start(0)
    this.hop?.end('ok')
    this.settled = true
    if (this.outermost) {
      this.call.open = false
      forgetCall(this.handler)
    }
    const { ambient } = this.call
    if (typeof (socket as { emit?: unknown } | null)?.emit === 'function') bindEmitter(socket as never, ambient)
  }

  /** Calls the handler's method for the end of a response. */
  abstract passEnd(trailers: unknown): void

  /** Calls the handler's method for an error. */
  abstract passError(error: unknown): void
}

// Functions of their own, so that entering the lane makes no closure per call. A function with a closure in it costs 50 bytes at
// each call, whether or not the closure is made (benchmark case egress/undici/inject).

function passEnd(exchange: Exchange, trailers: unknown): void {
  exchange.passEnd(trailers)
}

function passError(exchange: Exchange, error: unknown): void {
  exchange.passError(error)
}

function responseStarted(handler: DispatchHandler): void {
  handler.onResponseStarted?.()
}

function bodySent(handler: DispatchHandler, chunk: unknown): void {
  handler.onBodySent?.(chunk)
}

function requestSent(handler: DispatchHandler): void {
  handler.onRequestSent?.()
}
