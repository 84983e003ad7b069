import { runInLane } from '@laneway/core'
import { isInLane } from '../call/decide.js'
import type { LegacyHandler } from '../dispatcher/dispatcher.js'
import { rawLocations, reportHead } from '../redirect/redirect-memory.js'
import { readRawPath } from '../sent/path-header.js'
import { withoutRawVary, withRawVary } from '../sent/vary.js'
import { Exchange } from './exchange.js'

/** Stands between undici and a handler of undici 6 or 7. */
export class LegacyExchange extends Exchange implements LegacyHandler {
  onConnect(abort: (reason?: unknown) => void, context?: unknown): void {
    const { handler, hop, call } = this
    let passed = abort
    if (hop !== undefined) {
      hop.connected = true
      passed = reason => {
        hop.aborted = true
        abort(reason)
      }
    }
    if (isInLane(call.ambient)) handler.onConnect?.(passed, context)
    else runInLane(call.ambient, connect, handler, passed, context)
  }

  onUpgrade(status: number | null, headers: unknown, socket: unknown): void {
    this.upgrade(socket)
    const { handler, call } = this
    if (isInLane(call.ambient)) handler.onUpgrade?.(status, headers, socket)
    else runInLane(call.ambient, upgrade, handler, status, headers, socket)
  }

  onHeaders(status: number, received: unknown[], resume: () => void, statusText: string): boolean | undefined {
    const headers = this.asksPath ? readRawPath(this.traced, status, received) : received
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { handler, call } = this
    const passed = this.varied(status, headers)
    if (call.watched && this.outermost) {
      return this.watchedHead(status, rawLocations(headers), passed, resume, statusText)
    }
    return isInLane(call.ambient)
      ? handler.onHeaders?.(status, passed, resume, statusText)
      : runInLane(call.ambient, head, handler, status, passed, resume, statusText)
  }

  /** A function of its own: a function with a closure in it costs an object at each call, whether or not the closure is made. */
  private watchedHead(
    status: number,
    locations: string[],
    headers: unknown[],
    resume: () => void,
    statusText: string,
  ): boolean | undefined {
    const { handler, call } = this
    return reportHead(call, status, locations, () =>
      runInLane(call.ambient, head, handler, status, headers, resume, statusText),
    )
  }

  private varied(status: number, headers: unknown[]): unknown[] {
    if (this.vary === undefined || status < 200) return headers
    return this.outermost ? withoutRawVary(headers, this.vary) : withRawVary(headers, this.vary)
  }

  onData(chunk: Uint8Array): boolean | undefined {
    const { handler, call } = this
    return isInLane(call.ambient) ? handler.onData?.(chunk) : runInLane(call.ambient, data, handler, chunk)
  }

  onComplete(trailers: unknown): void {
    this.complete(trailers)
  }

  onError(error: unknown): void {
    this.failAttempt(error)
  }

  override passEnd(trailers: unknown): void {
    this.handler.onComplete?.(trailers)
  }

  override passError(error: unknown): void {
    this.handler.onError?.(error)
  }
}

// Functions of their own, so that entering the lane makes no closure per call.

function connect(handler: LegacyHandler, abort: (reason?: unknown) => void, context: unknown): void {
  handler.onConnect?.(abort, context)
}

function upgrade(handler: LegacyHandler, status: number | null, headers: unknown, socket: unknown): void {
  handler.onUpgrade?.(status, headers, socket)
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
