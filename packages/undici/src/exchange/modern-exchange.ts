import { bindEmitter, runInLane } from '@laneway/core'
import { type Call, forgetCall } from '../call/call.js'
import { isHere } from '../call/callers-lane.js'
import { tellInContext } from '../call/continuation.js'
import type { DispatchController, ModernHandler, ParsedHeaders } from '../dispatcher/dispatcher.js'
import type { ServiceHop } from '../hop/service-hop.js'
import { tellOfHead } from '../redirect/redirect-memory.js'
import { withoutVary, withVary } from '../sent/vary.js'

/** Stands between undici and a handler of undici 7 or 8. */
export class ModernExchange implements ModernHandler {
  settled = false
  private success = false
  private controller: DispatchController | null = null

  constructor(
    private readonly handler: ModernHandler,
    private readonly call: Call,
    /** The outermost one looks after the decision. */
    private readonly outermost: boolean,
    private readonly hop: ServiceHop | undefined,
    /** Added below the user's interceptors, removed above them. */
    private readonly vary: string | undefined,
  ) {}

  onRequestStart(controller: DispatchController, context?: unknown): void {
    if (this.hop !== undefined) this.hop.connected = true
    this.controller = controller
    const { handler, call } = this
    if (isHere(call.ambient)) handler.onRequestStart?.(controller, context)
    else runInLane(call.ambient, start, handler, controller, context)
  }

  onRequestUpgrade(controller: DispatchController, status: number, headers: unknown, socket: unknown): void {
    this.hop?.start(0)
    this.hop?.end('ok')
    this.finish()
    const { handler, call } = this
    // From now on the socket is the caller's alone.
    if (typeof (socket as { emit?: unknown } | null)?.emit === 'function') bindEmitter(socket as never, call.ambient)
    if (isHere(call.ambient)) handler.onRequestUpgrade?.(controller, status, headers, socket)
    else runInLane(call.ambient, upgrade, handler, controller, status, headers, socket)
  }

  onResponseStarted(): void {
    if (this.hop !== undefined) this.hop.responded = true
    const { handler, call } = this
    if (handler.onResponseStarted === undefined) return
    if (isHere(call.ambient)) handler.onResponseStarted()
    else runInLane(call.ambient, responseStarted, handler)
  }

  onResponseStart(controller: DispatchController, status: number, headers: ParsedHeaders, statusText?: string): void {
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { handler, call, vary } = this
    const told =
      vary === undefined || status < 200
        ? headers
        : this.outermost
          ? withoutVary(headers, vary)
          : withVary(headers, vary)
    if (call.watched && this.outermost) {
      tellOfHead(call, status, headers['location'], () =>
        runInLane(call.ambient, head, handler, controller, status, told, statusText),
      )
    } else if (isHere(call.ambient)) handler.onResponseStart?.(controller, status, told, statusText)
    else runInLane(call.ambient, head, handler, controller, status, told, statusText)
  }

  onResponseData(controller: DispatchController, chunk: Uint8Array): void {
    const { handler, call } = this
    if (isHere(call.ambient)) handler.onResponseData?.(controller, chunk)
    else runInLane(call.ambient, data, handler, controller, chunk)
  }

  onResponseEnd(controller: DispatchController, trailers: unknown): void {
    this.hop?.end('ok')
    const { call } = this
    if (!this.outermost) {
      this.complete(controller, trailers)
      return
    }
    const { dispatched } = call
    call.open = false
    call.ending = true
    try {
      if (this.success) this.complete(controller, trailers)
      else tellInContext(call, () => this.handler.onResponseEnd?.(controller, trailers))
    } finally {
      call.ending = false
    }
    this.settled = true
    // Dispatched again meanwhile: a redirect or a retry that stands outside.
    if (call.dispatched === dispatched) forgetCall(this.handler)
  }

  onResponseError(controller: DispatchController | null, error: unknown): void {
    const { hop } = this
    if (hop !== undefined && controller?.aborted === true) hop.gaveUp = true
    this.controller = controller
    const told = hop === undefined ? error : hop.fail(error, this)
    if (told !== undefined || error === undefined) this.fail(told)
  }

  onBodySent(chunk: unknown): void {
    const { handler, call } = this
    if (handler.onBodySent === undefined) return
    if (isHere(call.ambient)) handler.onBodySent(chunk)
    else runInLane(call.ambient, bodySent, handler, chunk)
  }

  onRequestSent(): void {
    const { handler, call } = this
    if (handler.onRequestSent === undefined) return
    if (isHere(call.ambient)) handler.onRequestSent()
    else runInLane(call.ambient, requestSent, handler)
  }

  /** Tells the handler once; it may dispatch again, now or later, and then keeps its decision. */
  fail(error: unknown): void {
    if (this.settled) return
    this.settled = true
    const { call, controller } = this
    if (!this.outermost) {
      if (isHere(call.ambient)) this.handler.onResponseError?.(controller, error)
      else runInLane(call.ambient, failed, this.handler, controller, error)
      return
    }
    call.open = false
    call.ending = true
    try {
      tellInContext(call, () => this.handler.onResponseError?.(controller, error))
    } finally {
      call.ending = false
    }
  }

  private complete(controller: DispatchController, trailers: unknown): void {
    const { handler, call } = this
    if (isHere(call.ambient)) handler.onResponseEnd?.(controller, trailers)
    else runInLane(call.ambient, completed, handler, controller, trailers)
  }

  private finish(): void {
    this.settled = true
    if (!this.outermost) return
    this.call.open = false
    forgetCall(this.handler)
  }
}

// Functions of their own, so that entering the lane makes no closure per call.

function start(handler: ModernHandler, controller: DispatchController, context: unknown): void {
  handler.onRequestStart?.(controller, context)
}

function upgrade(
  handler: ModernHandler,
  controller: DispatchController,
  status: number,
  headers: unknown,
  socket: unknown,
): void {
  handler.onRequestUpgrade?.(controller, status, headers, socket)
}

function responseStarted(handler: ModernHandler): void {
  handler.onResponseStarted?.()
}

function head(
  handler: ModernHandler,
  controller: DispatchController,
  status: number,
  headers: ParsedHeaders,
  statusText: string | undefined,
): void {
  handler.onResponseStart?.(controller, status, headers, statusText)
}

function data(handler: ModernHandler, controller: DispatchController, chunk: Uint8Array): void {
  handler.onResponseData?.(controller, chunk)
}

function completed(handler: ModernHandler, controller: DispatchController, trailers: unknown): void {
  handler.onResponseEnd?.(controller, trailers)
}

function failed(handler: ModernHandler, controller: DispatchController | null, error: unknown): void {
  handler.onResponseError?.(controller, error)
}

function bodySent(handler: ModernHandler, chunk: unknown): void {
  handler.onBodySent?.(chunk)
}

function requestSent(handler: ModernHandler): void {
  handler.onRequestSent?.()
}
