import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { RuleDecision } from '@laneway/rules'
import type { Waiter } from './bounded-pool.js'
import type { EarlyData } from './early-data.js'
import { LINGER_MS } from './end-connection.js'
import type { Forwarder } from './forwarder.js'
import { PROBLEMS, type Refusal, refusalOf } from './problem.js'
import { type RawLines, responseHeaders, responseTrailers, toHeaderObject, toHttp2Head } from './response-head.js'
import type { Backend } from './route-table.js'
import { joinSockets } from './tunnel.js'
import { AbortedError, ClientGone, ClientStalled, type Upload } from './upload.js'

/** The upstream answered with what no client can be told. */
class BadAnswer extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_BAD_ANSWER'
}

const kExchange = Symbol('laneway.gateway.exchange')

type Answer = ServerResponse & { [kExchange]?: Exchange }

/**
 * One request between its client and its upstream: what undici tells goes straight to the client. The methods are those
 * of undici's raw handlers, because they pass header lines and chunks on as they came.
 */
export class Exchange implements Waiter {
  readonly #forwarder: Forwarder
  readonly #request: IncomingMessage
  readonly #response: Answer
  readonly #startedAt = performance.now()
  readonly #path: string
  readonly backend: Backend | undefined
  readonly lane: Lane | undefined
  readonly rule: RuleDecision | undefined
  /** Shared caches must not keep the answer. */
  readonly #isPrivate: boolean
  /** What comes behind the head of an upgrade request. */
  #early: EarlyData | undefined
  #upload: Upload | undefined
  #abort: ((reason?: unknown) => void) | undefined
  #resume: (() => void) | undefined
  /** Gives up waiting for a connection. */
  #cancel: ((error: Error) => void) | undefined
  #choice: Choice | undefined
  #status = 0
  #upstreamAt = 0
  #responseBytes = 0
  #error: string | undefined
  /** Something of the answer follows its head, or its end does. */
  #bodyBegun = false
  /** The tick since which the client has to take what is written; 0 when it has taken it. */
  #blockedSince = 0
  /** The upstream is done with, or there was none. */
  #settled = false
  /** The answer is with the client, or the client is gone. */
  #closed = false

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
    this.#forwarder = forwarder
    this.#request = request
    this.#response = response
    this.#path = path
    this.backend = backend
    this.lane = lane
    this.rule = rule
    this.#isPrivate = isPrivate
    this.#response[kExchange] = this
    forwarder.began(this)
    response.on('close', responseClosed)
    // Node reports writes to a connection that has gone; `close` says all that matters.
    response.on('error', ignore)
  }

  /** Before the request is dispatched. */
  carries(upload: Upload | undefined, early: EarlyData | undefined): void {
    this.#upload = upload
    this.#early = early
  }

  waits(cancel: ((error: Error) => void) | undefined): void {
    this.#cancel = cancel
  }

  onConnect(abort: (reason?: unknown) => void): void {
    if (this.#closed) abort(new ClientGone())
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
      this.#writeHead(status, statusText, responseHeaders(raw, this.#isPrivate))
      this.#status = status
    } catch (error) {
      // undici reports this back to onError, where nothing has been answered yet.
      this.#abort?.(new BadAnswer(`the head of the answer cannot be written: ${error}`, { cause: error }))
      return false
    }
    return true
  }

  onData(chunk: Buffer): boolean {
    this.#bodyBegun = true
    // Node would end a stream of HTTP/2 with an error: there, 205 has no body.
    if (this.#status === 205 && this.#request.httpVersionMajor === 2) return true
    this.#responseBytes += chunk.length
    if (this.#response.write(chunk)) return true
    this.#blockedSince = this.#forwarder.tick
    this.#response.once('drain', responseDrained)
    return false
  }

  drained(): void {
    this.#blockedSince = 0
    this.#resume?.()
  }

  onComplete(raw: RawLines): void {
    this.#choice = this.#forwarder.resolver.take()
    if (raw !== null && raw !== undefined && raw.length > 0) this.#addTrailers(raw)
    this.#end()
  }

  #end(): void {
    this.#bodyBegun = true
    this.#blockedSince = this.#forwarder.tick
    this.#response.end()
    if (this.#upload !== undefined) this.#linger()
    this.#settle()
  }

  onError(error: unknown): void {
    this.#choice = this.#forwarder.resolver.take()
    if (this.#closed) {
      if (!this.#isTaken()) this.#error ??= 'client-gone'
    } else if (isWhole(this.#status, error)) {
      this.#end()
      return
    } else if (this.#status !== 0) {
      this.#error ??= error instanceof ClientStalled ? 'client-stalled' : 'upstream-reset-in-answer'
      this.#break()
    } else if (error instanceof ClientGone) {
      this.#error ??= 'client-gone'
      this.#response.destroy()
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
    this.#status = status
    this.#upstreamAt = performance.now()
    const { socket } = this.#request
    if (this.#closed || socket === null || socket.destroyed) {
      upstream.destroy()
      this.#settle()
      return
    }
    const forwarder = this.#forwarder
    const { metrics } = forwarder
    this.#response.off('close', responseClosed)
    this.#response.detachSocket(socket)
    metrics.upgraded++
    forwarder.left(this)
    const bytes = joinSockets(socket, upstream, responseHeaders(raw, false), this.#early?.take(), () => {
      metrics.upgraded--
      forwarder.began(this)
      this.#responseBytes = bytes.toClient
      this.#closed = true
      this.#settle()
    })
  }

  /** Answers for the upstream, before an answer has begun. */
  answer(refusal: Refusal): void {
    const { status, title, body, headers } = PROBLEMS[refusal]
    const response = this.#response
    this.#status = status
    this.#error = refusal
    if (response.headersSent || this.#closed) return
    const unread = !this.#request.complete
    // With a body still on its way, or a head that is not understood, the connection is of no more use.
    const useless = unread || BREAKING.has(refusal) || this.#forwarder.draining
    this.#bodyBegun = true
    this.#blockedSince = this.#forwarder.tick
    if (this.#request.httpVersionMajor === 2) {
      // What an answer that could not be written has left.
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      response.writeHead(status, headers)
    } else response.writeHead(status, title, useless ? { ...headers, connection: 'close' } : headers)
    this.#responseBytes = body.length
    response.end(body)
    if (unread || this.#upload !== undefined) this.#linger()
  }

  /** Answered by the gateway alone. */
  refuse(refusal: Refusal): void {
    this.answer(refusal)
    this.#settle()
  }

  #writeHead(status: number, statusText: string, headers: string[]): void {
    const response = this.#response
    if (this.#request.httpVersionMajor === 2) {
      ;(response as unknown as Http2ServerResponse).writeHead(status, toHttp2Head(status, headers))
      return
    }
    if (this.#forwarder.draining) headers.push('connection', 'close')
    // undici decodes the phrase as UTF-8, and Node writes it as Latin-1 or refuses it: what is not ASCII would change.
    response.writeHead(status, PHRASE.test(statusText) ? statusText : '', headers)
    this.#forwarder.flushSoon(this)
  }

  /** Sends the head on its own, when nothing of the body came with it. */
  flushHead(): void {
    if (!this.#bodyBegun && !this.#closed) this.#response.flushHeaders()
  }

  /** Ends it when the client has kept it waiting since before this tick. */
  endStalled(before: number): void {
    const upload = this.#upload
    if (upload !== undefined && upload.waitingSince !== 0 && upload.waitingSince <= before) {
      upload.destroy(new ClientStalled())
    } else if (this.#blockedSince !== 0 && this.#blockedSince <= before && !this.#closed) {
      this.#error ??= 'client-stalled'
      this.#break()
    }
  }

  #addTrailers(raw: RawLines): void {
    const trailers = responseTrailers(raw)
    if (trailers.length === 0) return
    // Node sends them where the answer is chunked, or HTTP/2; else there is no place for them.
    this.#response.addTrailers(toHeaderObject(trailers) as never)
  }

  /** The client must not take what it has for the whole: by what tells it so in each protocol. */
  #break(): void {
    const response = this.#response
    const { stream } = response as unknown as Partial<Http2ServerResponse>
    if (stream !== undefined) {
      stream.close(INTERNAL_ERROR)
      // Node waits with the end for what the client does not take.
      stream.destroy()
    }
    // A close is how an answer without length or chunks ends properly; a reset is not. TLS tells by itself, and has no reset.
    else if (this.#request.httpVersionMinor === 0 && !('encrypted' in (response.socket ?? {}))) {
      response.socket?.resetAndDestroy()
    } else response.destroy()
  }

  /** Takes the rest of a body that nobody reads, so that the client sends on until it has read the answer; not for ever. */
  #linger(): void {
    const request = this.#request
    // undici ends the upload later than the answer.
    this.#upload?.abandon()
    // All of it may have come and wait to be read: until then, Node reads nothing more from the connection.
    if (request.destroyed || request.readableEnded) return
    request.resume()
    const timer = setTimeout(() => request.destroy(), LINGER_MS)
    timer.unref()
    request.once('close', () => clearTimeout(timer))
    request.once('end', () => clearTimeout(timer))
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    if (!this.#settled) {
      if (!this.#isTaken()) this.#error ??= 'client-gone'
      const giveUp = this.#cancel ?? this.#abort
      // undici reports the end while it is called, or later.
      giveUp?.(new ClientGone())
      return
    }
    if (!this.#isTaken()) this.#error ??= 'client-gone'
    this.#record()
  }

  /** The client has all of the answer. */
  #isTaken(): boolean {
    const { stream } = this.#response as unknown as Partial<Http2ServerResponse>
    if (stream === undefined) return this.#response.writableFinished
    // Without a body, a stream is complete with its head.
    const hasBody = this.#request.method !== 'HEAD' && !BODILESS.has(this.#status)
    return stream.rstCode === 0 && (this.#response.writableEnded || !hasBody)
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    if (this.#closed) this.#record()
  }

  #record(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    this.#forwarder.ended(this, {
      request: this.#request,
      path: this.#path,
      choice: this.#choice,
      status: this.#status,
      seconds,
      upstreamMs: this.#upstreamAt === 0 ? undefined : this.#upstreamAt - this.#startedAt,
      requestBytes: this.#upload?.bytes ?? 0,
      responseBytes: this.#responseBytes,
      error: this.#error,
    })
  }
}

/** `NGHTTP2_INTERNAL_ERROR` */
const INTERNAL_ERROR = 2

/** Refusals after which the rest of the connection cannot be read. */
const BREAKING: ReadonlySet<Refusal> = new Set(['bad-request', 'client-timeout', 'head-too-large'])

/** Statuses whose answers have no body in HTTP/2 of Node. */
const BODILESS = new Set([204, 205, 304])

/** A reason phrase that goes on as it came. */
const PHRASE = /^[\t\x20-\x7e]*$/

/**
 * undici compares the length that an answer names with what came, also where there is no body by definition: 304 may
 * name the length of what it stands for (RFC 9110 section 8.6).
 */
function isWhole(status: number, error: unknown): boolean {
  return (
    (status === 304 || status === 204) &&
    (Object(error) as { code?: unknown }).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  )
}

function ignore(): void {}

function responseDrained(this: Answer): void {
  this[kExchange]?.drained()
}

function responseClosed(this: Answer): void {
  this[kExchange]?.closed()
}
