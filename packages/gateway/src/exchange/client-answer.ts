import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { type RawLines, responseTrailers, toHeaderObject, toHttp2Head } from '../head/response-head.js'
import { LINGER_MS } from '../listener/end-connection.js'
import { PROBLEMS, type Refusal } from './problem.js'
import type { Upload } from './upload.js'

/** What an answer asks of the gateway. */
export interface AnswerOwner {
  /** Answers end their connection. */
  readonly draining: boolean
  /** A clock that costs nothing to read; see `stallTimeoutMs`. */
  readonly tick: number
  /** Sends the head of an answer at the end of this turn, unless its body comes before that. */
  flushSoon(answer: ClientAnswer): void
}

/** The answer to a client, in the words of its protocol. A base class, because an object of its own would cost each request. */
export abstract class ClientAnswer {
  protected readonly request: IncomingMessage
  protected readonly response: ServerResponse
  readonly #owner: AnswerOwner
  /** 0 before there is one. */
  protected status = 0
  protected responseBytes = 0
  protected error: string | undefined
  protected upload: Upload | undefined
  /** The answer is with the client, or the client is gone. */
  protected closed = false
  /** Something of the answer follows its head, or its end does. */
  #bodyBegun = false
  /** The tick since which the client has to take what is written; 0 when it has taken it. */
  #blockedSince = 0

  constructor(owner: AnswerOwner, request: IncomingMessage, response: ServerResponse) {
    this.#owner = owner
    this.request = request
    this.response = response
  }

  /** @throws what Node's API refuses to write */
  protected writeHead(status: number, statusText: string, headers: string[]): void {
    const { response } = this
    if (this.request.httpVersionMajor === 2) {
      ;(response as unknown as Http2ServerResponse).writeHead(status, toHttp2Head(status, headers))
      return
    }
    if (this.#owner.draining) headers.push('connection', 'close')
    // undici decodes the phrase as UTF-8, and Node writes it as Latin-1 or refuses it: what is not ASCII would change.
    response.writeHead(status, PHRASE.test(statusText) ? statusText : '', headers)
    this.#owner.flushSoon(this)
  }

  /** Sends the head on its own, when nothing of the body came with it. */
  flushHead(): void {
    if (!this.#bodyBegun && !this.closed) this.response.flushHeaders()
  }

  /** @returns whether the client takes more now; else `drained` is called when it does */
  protected writeBody(chunk: Buffer, drained: () => void): boolean {
    this.#bodyBegun = true
    // Node would end a stream of HTTP/2 with an error: there, 205 has no body.
    if (this.status === 205 && this.request.httpVersionMajor === 2) return true
    this.responseBytes += chunk.length
    const { response } = this
    if (response.write(chunk) || response.writableLength < MAX_AHEAD) return true
    this.#blockedSince = this.#owner.tick
    response.once('drain', drained)
    return false
  }

  /** The client has taken what was written. */
  protected unblocked(): void {
    this.#blockedSince = 0
  }

  protected addTrailers(raw: RawLines): void {
    const trailers = responseTrailers(raw)
    if (trailers.length === 0) return
    // Node sends them where the answer is chunked, or HTTP/2; else there is no place for them.
    this.response.addTrailers(toHeaderObject(trailers) as never)
  }

  protected endBody(): void {
    this.#bodyBegun = true
    this.#blockedSince = this.#owner.tick
    this.response.end()
    if (this.upload !== undefined) this.#linger()
  }

  /** Answers for the upstream, before an answer has begun. */
  protected answer(refusal: Refusal): void {
    const { status, title, body, headers } = PROBLEMS[refusal]
    const { request, response } = this
    this.status = status
    this.error = refusal
    if (response.headersSent || this.closed) return
    const unread = !request.complete
    // With a body still on its way, or a head that is not understood, the connection is of no more use.
    const useless = unread || BREAKING.has(refusal) || this.#owner.draining
    this.#bodyBegun = true
    this.#blockedSince = this.#owner.tick
    if (request.httpVersionMajor === 2) {
      // What an answer that could not be written has left.
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      response.writeHead(status, headers)
    } else response.writeHead(status, title, useless ? { ...headers, connection: 'close' } : headers)
    this.responseBytes = body.length
    response.end(body)
    if (unread || this.upload !== undefined) this.#linger()
  }

  /** Whether the client has not taken what is written since before a tick. */
  protected isBlocked(before: number): boolean {
    return this.#blockedSince !== 0 && this.#blockedSince <= before && !this.closed
  }

  /** The client must not take what it has for the whole: by what tells it so in each protocol. */
  protected breakOff(): void {
    const { response } = this
    const { stream } = response as unknown as Partial<Http2ServerResponse>
    if (stream !== undefined) {
      stream.close(INTERNAL_ERROR)
      // Node waits with the end for what the client does not take.
      stream.destroy()
    }
    // A close is how an answer without length or chunks ends properly; a reset is not. TLS tells by itself, and has no reset.
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

  /** Takes the rest of a body that nobody reads, so that the client sends on until it has read the answer; not for ever. */
  #linger(): void {
    const { request } = this
    // undici ends the upload later than the answer.
    this.upload?.abandon()
    // All of it may have come and wait to be read: until then, Node reads nothing more from the connection.
    if (request.destroyed || request.readableEnded) return
    request.resume()
    const timer = setTimeout(() => request.destroy(), LINGER_MS)
    timer.unref()
    request.once('close', () => clearTimeout(timer))
    request.once('end', () => clearTimeout(timer))
  }
}

/**
 * Bytes that may wait for a client before its upstream does: two reads of a socket. Node would have 16 KiB wait, which one
 * read exceeds, so an answer of 64 KiB stopped its upstream and started it again (benchmark case `gateway/GET 64 KiB`).
 * HTTP/2 does not say how much waits, and keeps its own limit.
 */
const MAX_AHEAD = 128 * 1024

/** `NGHTTP2_INTERNAL_ERROR` */
const INTERNAL_ERROR = 2

/** Refusals after which the rest of the connection cannot be read. */
const BREAKING: ReadonlySet<Refusal> = new Set(['bad-request', 'client-timeout', 'head-too-large'])

/** Statuses whose answers have no body in HTTP/2 of Node. */
const BODILESS = new Set([204, 205, 304])

/** A reason phrase that goes on as it came. */
const PHRASE = /^[\t\x20-\x7e]*$/
