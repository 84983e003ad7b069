import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { type RawLines, responseTrailers, toHeaderObject, toHttp2Head } from '../head/response-head.js'
import { LINGER_MS } from '../listener/end-connection.js'
import { PROBLEMS, type Refusal } from './problem.js'
import type { Upload } from './upload.js'

/** What an answer needs from the gateway. */
export interface AnswerOwner {
  /** Answers close their connection. */
  readonly draining: boolean
  /** A clock that costs nothing to read; see `stallTimeoutMs`. */
  readonly tick: number
  /** Sends the head of an answer at the end of this turn, unless its body comes before that. */
  flushSoon(answer: ClientAnswer): void
}

/** The answer to a client, in its protocol. A base class, because a separate object would cost memory for each request. */
export abstract class ClientAnswer {
  protected readonly request: IncomingMessage
  protected readonly response: ServerResponse
  readonly #owner: AnswerOwner
  /** 0 before there is an answer. */
  protected status = 0
  protected responseBytes = 0
  protected error: string | undefined
  protected upload: Upload | undefined
  /** The client has its answer, or is gone. */
  protected closed = false
  /** A part of the body, or the end of the answer, has been written. */
  #bodyBegun = false
  /** The tick since which written data waits for the client; 0 when none waits. */
  #blockedSince = 0

  constructor(owner: AnswerOwner, request: IncomingMessage, response: ServerResponse) {
    this.#owner = owner
    this.request = request
    this.response = response
  }

  /** @throws Node's error for a head that it refuses to write */
  protected writeHead(status: number, statusText: string, headers: string[]): void {
    const { response } = this
    if (this.request.httpVersionMajor === 2) {
      ;(response as unknown as Http2ServerResponse).writeHead(status, toHttp2Head(status, headers))
      return
    }
    if (this.#owner.draining) headers.push('connection', 'close')
    // undici decodes the phrase as UTF-8, and Node writes Latin-1 or refuses it, so a phrase that is not ASCII would change.
    response.writeHead(status, PHRASE.test(statusText) ? statusText : '', headers)
    this.#owner.flushSoon(this)
  }

  /** Sends the head alone, when no part of the body came with it. */
  flushHead(): void {
    if (!this.#bodyBegun && !this.closed) this.response.flushHeaders()
  }

  /** @returns whether the client can take more now; else `drained` is called when it can */
  protected writeBody(chunk: Buffer, drained: () => void): boolean {
    this.#bodyBegun = true
    // In HTTP/2, 205 has no body, and Node would end the stream with an error.
    if (this.status === 205 && this.request.httpVersionMajor === 2) return true
    this.responseBytes += chunk.length
    const { response } = this
    if (response.write(chunk) || response.writableLength < MAX_AHEAD) return true
    this.#blockedSince = this.#owner.tick
    response.once('drain', drained)
    return false
  }

  /** The client has read what was written. */
  protected unblocked(): void {
    this.#blockedSince = 0
  }

  protected addTrailers(raw: RawLines): void {
    const trailers = responseTrailers(raw)
    if (trailers.length === 0) return
    // Node sends them when the answer is chunked or HTTP/2; other answers have no place for them.
    this.response.addTrailers(toHeaderObject(trailers) as never)
  }

  protected endBody(): void {
    this.#bodyBegun = true
    this.#blockedSince = this.#owner.tick
    this.response.end()
    if (this.upload !== undefined) this.#linger()
  }

  /** Answers in place of the upstream, before an answer has begun. */
  protected answer(refusal: Refusal): void {
    const { status, title, body, headers } = PROBLEMS[refusal]
    const { request, response } = this
    this.status = status
    this.error = refusal
    if (response.headersSent || this.closed) return
    const unread = !request.complete
    // While a body is still arriving, or after a head that was not understood, the connection cannot be used again.
    const useless = unread || BREAKING.has(refusal) || this.#owner.draining
    this.#bodyBegun = true
    this.#blockedSince = this.#owner.tick
    if (request.httpVersionMajor === 2) {
      // Headers that are left of an answer that could not be written.
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      response.writeHead(status, headers)
    } else response.writeHead(status, title, useless ? { ...headers, connection: 'close' } : headers)
    this.responseBytes = body.length
    response.end(body)
    if (unread || this.upload !== undefined) this.#linger()
  }

  /** Whether written data has been waiting for the client since before a tick. */
  protected isBlocked(before: number): boolean {
    return this.#blockedSince !== 0 && this.#blockedSince <= before && !this.closed
  }

  /** Tells the client, as its protocol does, that the answer is incomplete. */
  protected breakOff(): void {
    const { response } = this
    const { stream } = response as unknown as Partial<Http2ServerResponse>
    if (stream !== undefined) {
      stream.close(INTERNAL_ERROR)
      // Node would wait for data that the client does not read.
      stream.destroy()
    }
    // A close is the proper end of an answer without length or chunks, so a reset is sent. TLS shows a close that is no proper
    // end, and has no reset.
    else if (this.request.httpVersionMinor === 0 && !('encrypted' in (response.socket ?? {}))) {
      response.socket?.resetAndDestroy()
    } else response.destroy()
  }

  /** The client has all of the answer. */
  protected isTaken(): boolean {
    const { response } = this
    const { stream } = response as unknown as Partial<Http2ServerResponse>
    if (stream === undefined) return response.writableFinished
    // Without a body, a stream is complete with its head.
    const hasBody = this.request.method !== 'HEAD' && !BODILESS.has(this.status)
    return stream.rstCode === 0 && (response.writableEnded || !hasBody)
  }

  /** Reads the rest of the request's body for a while, so that the client can go on sending until it has read the answer. */
  #linger(): void {
    const { request } = this
    // undici closes the upload after the answer.
    this.upload?.abandon()
    // Also when all of it has arrived: until it is read, Node reads nothing more from the connection.
    if (request.destroyed || request.readableEnded) return
    request.resume()
    const timer = setTimeout(() => request.destroy(), LINGER_MS)
    timer.unref()
    request.once('close', () => clearTimeout(timer))
    request.once('end', () => clearTimeout(timer))
  }
}

/**
 * Bytes that may wait for a client before the gateway pauses its upstream: two reads of a socket. Node's limit is 16 KiB,
 * less than one read, so an answer of 64 KiB would pause its upstream (benchmark case `gateway/GET 64 KiB`). HTTP/2 does
 * not say how much waits, and has its own limit.
 */
const MAX_AHEAD = 128 * 1024

/** `NGHTTP2_INTERNAL_ERROR` */
const INTERNAL_ERROR = 2

/** Refusals after which the rest of the connection has no meaning. */
const BREAKING: ReadonlySet<Refusal> = new Set(['bad-request', 'client-timeout', 'head-too-large'])

/** Statuses whose answers have no body in HTTP/2 of Node. */
const BODILESS = new Set([204, 205, 304])

/** A reason phrase that is passed on unchanged. */
const PHRASE = /^[\t\x20-\x7e]*$/
