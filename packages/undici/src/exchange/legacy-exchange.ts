import { bindEmitter, runInLane } from '@laneway/core'
import { type Call, forgetCall } from '../call/call.js'
import { isHere } from '../call/callers-lane.js'
import { tellInContext } from '../call/continuation.js'
import type { LegacyHandler } from '../dispatcher/dispatcher.js'
import type { ServiceHop } from '../hop/service-hop.js'
import { rawLocations, tellOfHead } from '../redirect/redirect-memory.js'
import { withoutRawVary, withRawVary } from '../sent/vary.js'

/**
 * Stands between undici and a handler of undici 6 or 7. It has the methods of that generation and no others: undici 7
 * tells the two apart by them.
 */
export class LegacyExchange implements LegacyHandler {
  settled = false
  private success = false

  constructor(
    private readonly handler: LegacyHandler,
    private readonly call: Call,
    /** The outermost one looks after the decision. */
    private readonly outermost: boolean,
    private readonly hop: ServiceHop | undefined,
    /** Added below the user's interceptors, removed above them. */
    private readonly vary: string | undefined,
  ) {}

  onConnect(abort: (reason?: unknown) => void, context?: unknown): void {
    const { handler, hop, call } = this
    let told = abort
    if (hop !== undefined) {
      hop.connected = true
      told = reason => {
        hop.gaveUp = true
        abort(reason)
      }
    }
    if (isHere(call.ambient)) handler.onConnect?.(told, context)
    else runInLane(call.ambient, connect, handler, told, context)
  }

  onUpgrade(status: number | null, headers: unknown, socket: unknown): void {
    this.hop?.start(0)
    this.hop?.end('ok')
    this.finish()
    const { handler, call } = this
    // From now on the socket is the caller's alone.
    if (typeof (socket as { emit?: unknown } | null)?.emit === 'function') bindEmitter(socket as never, call.ambient)
    if (isHere(call.ambient)) handler.onUpgrade?.(status, headers, socket)
    else runInLane(call.ambient, upgrade, handler, status, headers, socket)
  }

  onResponseStarted(): void {
    if (this.hop !== undefined) this.hop.responded = true
    const { handler, call } = this
    if (handler.onResponseStarted === undefined) return
    if (isHere(call.ambient)) handler.onResponseStarted()
    else runInLane(call.ambient, responseStarted, handler)
  }

  onHeaders(status: number, headers: unknown[], resume: () => void, statusText: string): boolean | undefined {
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { handler, call, vary } = this
    const told =
      vary === undefined || status < 200
        ? headers
        : this.outermost
          ? withoutRawVary(headers, vary)
          : withRawVary(headers, vary)
    if (call.watched && this.outermost) {
      return tellOfHead(call, status, rawLocations(headers), () =>
        runInLane(call.ambient, head, handler, status, told, resume, statusText),
      )
    }
    return isHere(call.ambient)
      ? handler.onHeaders?.(status, told, resume, statusText)
      : runInLane(call.ambient, head, handler, status, told, resume, statusText)
  }

  onData(chunk: Uint8Array): boolean | undefined {
    const { handler, call } = this
    return isHere(call.ambient) ? handler.onData?.(chunk) : runInLane(call.ambient, data, handler, chunk)
  }

  onComplete(trailers: unknown): void {
    this.hop?.end('ok')
    const { call } = this
    if (!this.outermost) {
      this.complete(trailers)
      return
    }
    const { dispatched } = call
    call.open = false
    call.ending = true
    try {
      if (this.success) this.complete(trailers)
      else tellInContext(call, () => this.handler.onComplete?.(trailers))
    } finally {
      call.ending = false
    }
    this.settled = true
    // Dispatched again meanwhile: a redirect that stands outside.
    if (call.dispatched === dispatched) forgetCall(this.handler)
  }

  onError(error: unknown): void {
    const told = this.hop === undefined ? error : this.hop.fail(error, this)
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
    const { call } = this
    if (!this.outermost) {
      if (isHere(call.ambient)) this.handler.onError?.(error)
      else runInLane(call.ambient, failed, this.handler, error)
      return
    }
    call.open = false
    call.ending = true
    try {
      tellInContext(call, () => this.handler.onError?.(error))
    } finally {
      call.ending = false
    }
  }

  private complete(trailers: unknown): void {
    const { handler, call } = this
    if (isHere(call.ambient)) handler.onComplete?.(trailers)
    else runInLane(call.ambient, completed, handler, trailers)
  }

  private finish(): void {
    this.settled = true
    if (!this.outermost) return
    this.call.open = false
    forgetCall(this.handler)
  }
}

// Functions of their own, so that entering the lane makes no closure per call.

function connect(handler: LegacyHandler, abort: (reason?: unknown) => void, context: unknown): void {
  handler.onConnect?.(abort, context)
}

function upgrade(handler: LegacyHandler, status: number | null, headers: unknown, socket: unknown): void {
  handler.onUpgrade?.(status, headers, socket)
}

function responseStarted(handler: LegacyHandler): void {
  handler.onResponseStarted?.()
}

function head(
  handler: LegacyHandler,
  status: number,
  headers: unknown[],
  resume: () => void,
  statusText: string,
): boolean | undefined {
  return handler.onHeaders?.(status, headers, resume, statusText)
}

function data(handler: LegacyHandler, chunk: Uint8Array): boolean | undefined {
  return handler.onData?.(chunk)
}

function completed(handler: LegacyHandler, trailers: unknown): void {
  handler.onComplete?.(trailers)
}

function failed(handler: LegacyHandler, error: unknown): void {
  handler.onError?.(error)
}

function bodySent(handler: LegacyHandler, chunk: unknown): void {
  handler.onBodySent?.(chunk)
}

function requestSent(handler: LegacyHandler): void {
  handler.onRequestSent?.()
}
