import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { RuleDecision } from '@laneway/rules'
import { type RawLines, responseHeaders } from '../head/response-head.js'
import type { EarlyData } from '../listener/early-data.js'
import type { Backend } from '../route/backend.js'
import type { Routing } from '../route/routing.js'
import { BadAnswer, isWhole } from './bad-answer.js'
import type { Waiter } from './bounded-pool.js'
import { type AnswerOwner, ClientAnswer } from './client-answer.js'
import { type Refusal, refusalOf } from './problem.js'
import { joinSockets } from './tunnel.js'
import { ClientGone, ClientStalled, type Upload } from './upload.js'

/** What an exchange reports when it has ended. */
export interface ExchangeEnd {
  readonly request: IncomingMessage
  /** Path and query as sent. */
  readonly path: string
  readonly choice: Choice | undefined
  /** 0: the client left before there was an answer. */
  readonly status: number
  readonly seconds: number
  readonly upstreamMs: number | undefined
  readonly requestBytes: number
  readonly responseBytes: number
  readonly error: string | undefined
}

/** Keeps the books of all exchanges. */
export interface ExchangeOwner extends AnswerOwner {
  /** A request is in flight. */
  began(exchange: Exchange): void
  /** Its connection became a tunnel: no request is in flight on it until the tunnel closes. */
  tunnelOpened(exchange: Exchange): void
  tunnelClosed(exchange: Exchange): void
  /** The upstream did not answer; the client gets this refusal. */
  failed(exchange: Exchange, error: unknown, refusal: Refusal): void
  /** Called once, at the end. */
  ended(exchange: Exchange, end: ExchangeEnd): void
}

const kExchange = Symbol('laneway.gateway.exchange')

type Answer = ServerResponse & { [kExchange]?: Exchange }

/**
 * One request between its client and its upstream: what undici reports goes straight to the client. The methods are
 * those of undici's raw handlers, because these pass header lines and chunks on as they came.
 */
export class Exchange extends ClientAnswer implements Waiter {
  readonly backend: Backend | undefined
  readonly lane: Lane | undefined
  readonly rule: RuleDecision | undefined
  readonly #owner: ExchangeOwner
  readonly #startedAt = performance.now()
  readonly #path: string
  /** Shared caches must not store the answer. */
  readonly #isPrivate: boolean
  /** What comes behind the head of an upgrade request. */
  #early: EarlyData | undefined
  #abort: ((reason?: unknown) => void) | undefined
  #resume: (() => void) | undefined
  /** Gives up waiting for a connection. */
  #cancel: ((error: Error) => void) | undefined
  #choice: Choice | undefined
  #upstreamAt = 0
  /** The upstream has finished, or there was none. */
  #settled = false

  /**
   * @param path - path and query as sent
   * @param isPrivate - shared caches must not store the answer
   */
  constructor(
    owner: ExchangeOwner,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    lane: Lane | undefined,
    { backend, rule }: Routing,
    isPrivate: boolean,
  ) {
    super(owner, request, response)
    this.backend = backend ?? undefined
    this.lane = lane
    this.rule = rule
    this.#owner = owner
    this.#path = path
    this.#isPrivate = isPrivate
    ;(response as Answer)[kExchange] = this
    owner.began(this)
    response.on('close', responseClosed)
    // Node reports writes to a closed connection; `close` says all that matters.
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

  chosen(choice: Choice): void {
    this.#choice = choice
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
    // Interim answers are not forwarded: Node sends `100 Continue` itself.
    if (status < 200) return true
    this.#upstreamAt = performance.now()
    this.#resume = resume
    try {
      this.writeHead(status, statusText, responseHeaders(raw, this.#isPrivate))
      this.status = status
    } catch (error) {
      // undici passes this to onError; nothing has been answered yet.
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
    if (raw !== null && raw !== undefined && raw.length > 0) this.addTrailers(raw)
    this.#end()
  }

  onError(error: unknown): void {
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
      const refusal = refusalOf(error)
      this.#owner.failed(this, error, refusal)
      this.answer(refusal)
    }
    this.#settle()
  }

  onUpgrade(status: number, raw: RawLines, upstream: Duplex): void {
    this.status = status
    this.#upstreamAt = performance.now()
    const { socket } = this.request
    if (this.closed || socket === null || socket.destroyed) {
      upstream.destroy()
      this.#settle()
      return
    }
    this.response.off('close', responseClosed)
    this.response.detachSocket(socket)
    this.#owner.tunnelOpened(this)
    const bytes = joinSockets(socket, upstream, responseHeaders(raw, false), this.#early?.take(), () => {
      this.#owner.tunnelClosed(this)
      this.responseBytes = bytes.toClient
      this.closed = true
      this.#settle()
    })
  }

  /** The gateway answers, without an upstream. */
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

  /** The client has its answer, or is gone. */
  clientClosed(): void {
    if (this.closed) return
    this.closed = true
    if (!this.isTaken()) this.error ??= 'client-gone'
    if (this.#settled) this.#record()
    else {
      const giveUp = this.#cancel ?? this.#abort
      // undici reports the end before this returns, or later.
      giveUp?.(new ClientGone())
    }
  }

  /** The upstream's answer is complete. */
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
    this.#owner.ended(this, {
      request: this.request,
      path: this.#path,
      choice: this.#choice,
      status: this.status,
      seconds: (performance.now() - this.#startedAt) / 1000,
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
