import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Lane } from '@laneway/core'
import type { Choice } from '@laneway/discovery'
import type { RuleDecision } from '@laneway/rules'
import type { Forwarder } from './forwarder.js'
import { PROBLEMS, type Refusal, refusalOf } from './problem.js'
import { type RawLines, responseHeaders, responseTrailers, toHeaderObject } from './response-head.js'
import type { Backend } from './route-table.js'
import { joinSockets } from './tunnel.js'
import { ClientGone, type Upload } from './upload.js'

/** How long a client may go on sending a body that nobody reads any more, so that it gets to read the answer. */
const LINGER_MS = 2000

const kExchange = Symbol('laneway.gateway.exchange')

type Answer = ServerResponse & { [kExchange]?: Exchange }

/**
 * One request between its client and its upstream: what undici tells goes straight to the client. The methods are those
 * of undici's raw handlers, because they pass header lines and chunks on as they came.
 */
export class Exchange {
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
  /** What came behind the head of an upgrade request. */
  #head: Buffer | undefined
  #upload: Upload | undefined
  #abort: ((reason?: unknown) => void) | undefined
  #resume: (() => void) | undefined
  #choice: Choice | undefined
  #status = 0
  #upstreamAt = 0
  #responseBytes = 0
  #error: string | undefined
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
    forwarder.metrics.inFlight++
    response.on('close', responseClosed)
  }

  /** Before the request is dispatched. */
  carries(upload: Upload | undefined, head: Buffer | undefined): void {
    this.#upload = upload
    this.#head = head
  }

  onConnect(abort: (reason?: unknown) => void): void {
    if (this.#closed) abort(new ClientGone())
    else this.#abort = abort
  }

  onHeaders(status: number, raw: RawLines, resume: () => void, statusText: string): boolean {
    // Interim answers: what Node says itself suffices.
    if (status < 200) return true
    this.#status = status
    this.#upstreamAt = performance.now()
    this.#resume = resume
    this.#writeHead(status, statusText, responseHeaders(raw, this.#isPrivate))
    return true
  }

  onData(chunk: Buffer): boolean {
    this.#responseBytes += chunk.length
    if (this.#response.write(chunk)) return true
    this.#response.once('drain', this.#resume!)
    return false
  }

  onComplete(raw: RawLines): void {
    this.#choice = this.#forwarder.resolver.take()
    const response = this.#response
    if (raw !== null && raw !== undefined && raw.length > 0) this.#addTrailers(raw)
    response.end()
    if (this.#upload !== undefined && !this.#request.complete) this.#linger()
    this.#settle()
  }

  onError(error: unknown): void {
    this.#choice = this.#forwarder.resolver.take()
    if (this.#closed) {
      this.#error ??= 'client-gone'
    } else if (this.#status !== 0) {
      this.#error = 'upstream-reset-in-answer'
      this.#break()
    } else if (error instanceof ClientGone) {
      this.#error = 'client-gone'
      this.#response.destroy()
    } else {
      const refusal = refusalOf(error)
      this.#forwarder.failed(this, error, refusal)
      this.answer(refusal)
    }
    this.#settle()
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
    const { metrics } = this.#forwarder
    this.#response.off('close', responseClosed)
    this.#response.detachSocket(socket)
    metrics.upgraded++
    metrics.inFlight--
    const bytes = joinSockets(socket, upstream, responseHeaders(raw, false), this.#head, () => {
      metrics.upgraded--
      metrics.inFlight++
      this.#responseBytes = bytes.toClient
      this.#closed = true
      this.#settle()
    })
  }

  /** Answers for the upstream, before an answer has begun. */
  answer(refusal: Refusal): void {
    const { status, body, headers } = PROBLEMS[refusal]
    const response = this.#response
    this.#status = status
    this.#error = refusal
    if (response.headersSent || this.#closed) return
    const unread = !this.#request.complete
    // With a body still on its way, or a head that is not understood, the connection is of no more use.
    const useless = unread || refusal === 'bad-request' || this.#forwarder.draining
    const close = useless && this.#request.httpVersionMajor < 2
    response.writeHead(status, close ? { ...headers, connection: 'close' } : headers)
    this.#responseBytes = body.length
    response.end(body)
    if (unread) this.#linger()
  }

  /** Answered by the gateway alone. */
  refuse(refusal: Refusal): void {
    this.answer(refusal)
    this.#settle()
  }

  #writeHead(status: number, statusText: string, headers: string[]): void {
    const response = this.#response
    if (this.#request.httpVersionMajor === 2) {
      ;(response as unknown as Http2ServerResponse).writeHead(status, toHeaderObject(headers))
      return
    }
    if (this.#forwarder.draining) headers.push('connection', 'close')
    response.writeHead(status, statusText, headers)
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
    if (stream !== undefined) stream.close(INTERNAL_ERROR)
    // A close is how an answer without length or chunks ends properly; a reset is not.
    else if (this.#request.httpVersionMinor === 0) response.socket?.resetAndDestroy()
    else response.destroy()
  }

  /** Takes the rest of a body that nobody reads, so that the client sends on until it has read the answer; not for ever. */
  #linger(): void {
    const request = this.#request
    if (request.destroyed) return
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
      this.#error = 'client-gone'
      // undici tells of the end while it is called, or later.
      this.#abort?.(new ClientGone())
      return
    }
    if (!this.#response.writableFinished && this.#error === undefined) this.#error = 'client-gone'
    this.#record()
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

function responseClosed(this: Answer): void {
  this[kExchange]?.closed()
}
