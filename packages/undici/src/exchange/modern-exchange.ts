import { runInLane } from '@laneway/core'
import { isInLane } from '../call/decide.js'
import type { DispatchController, ModernHandler, ParsedHeaders } from '../dispatcher/dispatcher.js'
import { reportHead } from '../redirect/redirect-memory.js'
import { readPath } from '../sent/path-header.js'
import { withoutVary, withVary } from '../sent/vary.js'
import { Exchange } from './exchange.js'

/** Stands between undici and a handler of undici 7 or 8. */
export class ModernExchange extends Exchange implements ModernHandler {
  private controller: DispatchController | null = null

  onRequestStart(controller: DispatchController, context?: unknown): void {
    if (this.hop !== undefined) this.hop.connected = true
    this.controller = controller
    const { handler, call } = this
    if (isInLane(call.ambient)) handler.onRequestStart?.(controller, context)
    else runInLane(call.ambient, start, handler, controller, context)
  }

  onRequestUpgrade(controller: DispatchController, status: number, headers: unknown, socket: unknown): void {
    this.upgrade(socket)
    const { handler, call } = this
    if (isInLane(call.ambient)) handler.onRequestUpgrade?.(controller, status, headers, socket)
    else runInLane(call.ambient, upgrade, handler, controller, status, headers, socket)
  }

  onResponseStart(controller: DispatchController, status: number, received: ParsedHeaders, statusText?: string): void {
    const headers = this.asksPath ? readPath(this.traced, status, received) : received
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { handler, call } = this
    const passed = this.varied(status, headers)
    if (call.watched && this.outermost) this.watchedHead(controller, status, headers['location'], passed, statusText)
    else if (isInLane(call.ambient)) handler.onResponseStart?.(controller, status, passed, statusText)
    else runInLane(call.ambient, head, handler, controller, status, passed, statusText)
  }

  /** A function of its own: a function with a closure in it costs an object at each call, whether or not the closure is made. */
  private watchedHead(
    controller: DispatchController,
    status: number,
    location: string | string[] | undefined,
    headers: ParsedHeaders,
    statusText: string | undefined,
  ): void {
    const { handler, call } = this
    reportHead(call, status, location, () =>
      runInLane(call.ambient, head, handler, controller, status, headers, statusText),
    )
  }

  private varied(status: number, headers: ParsedHeaders): ParsedHeaders {
    if (this.vary === undefined || status < 200) return headers
    return this.outermost ? withoutVary(headers, this.vary) : withVary(headers, this.vary)
  }

  onResponseData(controller: DispatchController, chunk: Uint8Array): void {
    const { handler, call } = this
    if (isInLane(call.ambient)) handler.onResponseData?.(controller, chunk)
    else runInLane(call.ambient, data, handler, controller, chunk)
  }

  onResponseEnd(controller: DispatchController, trailers: unknown): void {
    this.controller = controller
    this.complete(trailers)
  }

  onResponseError(controller: DispatchController | null, error: unknown): void {
    if (this.hop !== undefined && controller?.aborted === true) this.hop.aborted = true
    this.controller = controller
    this.failAttempt(error)
  }

  override passEnd(trailers: unknown): void {
    this.handler.onResponseEnd?.(this.controller as DispatchController, trailers)
  }

  override passError(error: unknown): void {
    this.handler.onResponseError?.(this.controller, error)
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
