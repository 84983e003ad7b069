import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { RuleDecision } from '@laneway/rules'
import { type RawLines, responseHeaders } from '../head/response-head.js'
import type { EarlyData } from '../listener/early-data.js'
import type { Backend } from '../route/route-table.js'
import { BadAnswer, isWhole } from './bad-answer.js'
import type { Waiter } from './bounded-pool.js'
import { ClientAnswer } from './client-answer.js'
import type { Forwarder } from './forwarder.js'
import { type Refusal, refusalOf } from './problem.js'
import { joinSockets } from './tunnel.js'
import { ClientGone, ClientStalled, type Upload } from './upload.js'

const kExchange = Symbol('laneway.gateway.exchange')

type Answer = ServerResponse & { [kExchange]?: Exchange }

/**
 * One request between its client and its upstream: what undici tells goes straight to the client. The methods are those
 * of undici's raw handlers, because they pass header lines and chunks on as they came.
 */
export class Exchange extends ClientAnswer implements Waiter {
  readonly #forwarder: Forwarder
  readonly #startedAt = performance.now()
  readonly #path: string
  readonly backend: Backend | undefined
  readonly lane: Lane | undefined
  readonly rule: RuleDecision | undefined
  /** Shared caches must not keep the answer. */
  readonly #isPrivate: boolean
  /** What comes behind the head of an upgrade request. */
  #early: EarlyData | undefined
  #abort: ((reason?: unknown) => void) | undefined
  #resume: (() => void) | undefined
  /** Gives up waiting for a connection. */
  #cancel: ((error: Error) => void) | undefined
  #choice: Choice | undefined
  #upstreamAt = 0
  /** The upstream is done with, or there was none. */
  #settled = false

  constructor(
    forwarder: Forwarder,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    backend: Backend | undefined,
    lane: Lane | undefined,
    rule: RuleDecision | undefined,
    isPrivate: boolean,
  ) {
    super(forwarder, request, response)
    this.#forwarder = forwarder
    this.#path = path
    this.backend = backend
    this.lane = lane
    this.rule = rule
    this.#isPrivate = isPrivate
    ;(response as Answer)[kExchange] = this
    forwarder.began(this)
    response.on('close', responseClosed)
    // Node reports writes to a connection that has gone; `close` says all that matters.
    response.on('error', ignore)
  }

  /** Before the request is dispatched. */
  carries(upload: Upload | undefined, early: EarlyData | undefined): void {
    this.upload = upload
    this.#early = early
  }

  waits(cancel: ((error: Error) => void) | undefined): void {
    this.#cancel = cancel
  }

  onConnect(abort: (reason?: unknown) => void): void {
    if (this.closed) abort(new ClientGone())
    else this.#abort = abort
  }

  onHeaders(status: number, raw: RawLines, resume: () => void, statusText: string): boolean {
    if (status < 100 || status === 101) {
      this.#abort?.(new BadAnswer(`status ${status} without being asked for`))
      return false
    }
    // Interim answers: what Node says itself suffices.
    if (status < 200) return true
    this.#upstreamAt = performance.now()
    this.#resume = resume
    try {
      this.writeHead(status, statusText, responseHeaders(raw, this.#isPrivate))
      this.status = status
    } catch (error) {
      // undici reports this back to onError, where nothing has been answered yet.
      this.#abort?.(new BadAnswer(`the head of the answer cannot be written: ${error}`, { cause: error }))
      return false
    }
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.writeBody(chunk, responseDrained)
  }

  drained(): void {
    this.unblocked()
    this.#resume?.()
  }

  onComplete(raw: RawLines): void {
    this.#choice = this.#forwarder.resolver.take()
    if (raw !== null && raw !== undefined && raw.length > 0) this.addTrailers(raw)
    this.#end()
  }

  onError(error: unknown): void {
    this.#choice = this.#forwarder.resolver.take()
    if (this.closed) {
      if (!this.isTaken()) this.error ??= 'client-gone'
    } else if (isWhole(this.status, error)) {
      this.#end()
      return
    } else if (this.status !== 0) {
      this.error ??= error instanceof ClientStalled ? 'client-stalled' : 'upstream-reset-in-answer'
      this.breakOff()
    } else if (error instanceof ClientGone) {
      this.error ??= 'client-gone'
      this.response.destroy()
    } else {
      const reason = this.#reasonOf(error)
      const refusal = refusalOf(reason)
      this.#forwarder.failed(this, reason, refusal)
      this.answer(refusal)
    }
    this.#settle()
  }

  /** The resolver knows more of a choice without endpoint than undici tells: whether there is any, and what was meant. */
  #reasonOf(error: unknown): unknown {
    const choice = this.#choice
    const { code, cause } = Object(error) as { code?: unknown; cause?: unknown }
    if (code !== 'LANEWAY_NO_BASE' || choice === undefined || choice.endpoint !== undefined) return error
    return this.#forwarder.resolver.refusal(choice, this.lane, cause)
  }

  onUpgrade(status: number, raw: RawLines, upstream: Duplex): void {
    this.#choice = this.#forwarder.resolver.take()
    this.status = status
    this.#upstreamAt = performance.now()
    const { socket } = this.request
    if (this.closed || socket === null || socket.destroyed) {
      upstream.destroy()
      this.#settle()
      return
    }
    const forwarder = this.#forwarder
    const { metrics } = forwarder
    this.response.off('close', responseClosed)
    this.response.detachSocket(socket)
    metrics.upgraded++
    forwarder.left(this)
    const bytes = joinSockets(socket, upstream, responseHeaders(raw, false), this.#early?.take(), () => {
      metrics.upgraded--
      forwarder.began(this)
      this.responseBytes = bytes.toClient
      this.closed = true
      this.#settle()
    })
  }

  /** Answered by the gateway alone. */
  refuse(refusal: Refusal): void {
    this.answer(refusal)
    this.#settle()
  }

  /** Ends it when the client has kept it waiting since before this tick. */
  endStalled(before: number): void {
    const { upload } = this
    if (upload !== undefined && upload.waitingSince !== 0 && upload.waitingSince <= before) {
      upload.destroy(new ClientStalled())
    } else if (this.isBlocked(before)) {
      this.error ??= 'client-stalled'
      this.breakOff()
    }
  }

  /** The answer is over for its client. */
  clientClosed(): void {
    if (this.closed) return
    this.closed = true
    if (!this.isTaken()) this.error ??= 'client-gone'
    if (this.#settled) this.#record()
    else {
      const giveUp = this.#cancel ?? this.#abort
      // undici reports the end while it is called, or later.
      giveUp?.(new ClientGone())
    }
  }

  /** All of the upstream's answer is there. */
  #end(): void {
    this.endBody()
    this.#settle()
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    if (this.closed) this.#record()
  }

  #record(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    this.#forwarder.ended(this, {
      request: this.request,
      path: this.#path,
      choice: this.#choice,
      status: this.status,
      seconds,
      upstreamMs: this.#upstreamAt === 0 ? undefined : this.#upstreamAt - this.#startedAt,
      requestBytes: this.upload?.bytes ?? 0,
      responseBytes: this.responseBytes,
      error: this.error,
    })
  }
}

function ignore(): void {}

function responseDrained(this: Answer): void {
  this[kExchange]?.drained()
}

function responseClosed(this: Answer): void {
  this[kExchange]?.clientClosed()
}
