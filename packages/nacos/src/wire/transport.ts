import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { ConnectionOptions } from 'node:tls'
import { LanewayError } from '@laneway/core'
import { FrameReader, frame } from './frames.js'
import { parseInTurns } from './parse-in-turns.js'
import { decodePayload, encodePayload } from './payload.js'

/** Nacos' default limit of an inbound message, on both sides. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024

const UNARY = '/Request/request'
const STREAM = '/BiRequestStream/requestBiStream'

/** A decoded message: `type` names the Java class, `body` is its JSON. */
export interface Message {
  readonly type: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface TransportOptions {
  readonly host: string
  readonly port: number
  readonly tls: ConnectionOptions | undefined
  /** Whether the connection keeps the process alive. */
  readonly keepsProcess: boolean
  /** Called once, when the HTTP/2 connection is over for whatever reason. */
  readonly onEnd: (error: LanewayError) => void
  /** A message of the server on the bi-stream. */
  readonly onPush: (message: Message) => void
}

/**
 * One TCP connection to one server: one HTTP/2 session that carries the unary calls and the bi-stream. Nacos identifies
 * a client by its TCP connection, so whatever ends a part of it ends the whole, and nothing here ever reconnects.
 */
export class Transport {
  readonly address: string
  readonly #session: ClientHttp2Session
  readonly #onEnd: (error: LanewayError) => void
  readonly #onPush: (message: Message) => void
  #stream: ClientHttp2Stream | undefined
  /** Settles when all messages of the bi-stream so far are delivered, which is in their order. */
  #delivered: Promise<void> = Promise.resolve()
  #ended: LanewayError | undefined

  constructor(options: TransportOptions) {
    const host = options.host.includes(':') ? `[${options.host}]` : options.host
    this.address = `${host}:${options.port}`
    this.#onEnd = options.onEnd
    this.#onPush = options.onPush
    this.#session = connect(`${options.tls === undefined ? 'http' : 'https'}://${this.address}`, {
      ...options.tls,
      // Node's default of 10 MB counts unsent data and refuses new streams with ENHANCE_YOUR_CALM, an error that looks
      // as if the server had sent it. One configuration of the largest allowed size would be enough for that.
      maxSessionMemory: 64,
      // The default window of 64 KiB makes a push of 5,000 endpoints take a dozen round trips.
      settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
    })
    if (!options.keepsProcess) this.#session.unref()
    this.#session.on('connect', () => {
      // A connection that came after its time was over is destroyed already, and would throw.
      if (this.#ended === undefined && !this.#session.destroyed) this.#session.setLocalWindowSize(4 * 1024 * 1024)
    })
    this.#session.on('error', error => this.end(`connection failed: ${error.message}`, error))
    // A stopping server says GOAWAY and keeps TCP open for a while. From then on it is not the client's server.
    this.#session.on('goaway', code => this.end(`the server said GOAWAY (code ${code})`))
    this.#session.on('close', () => this.end('the connection was closed'))
  }

  /** Own address on this connection, without IPv4-in-IPv6 prefix; `undefined` before it is connected. */
  get localAddress(): string | undefined {
    if (this.#session.destroyed) return undefined
    return this.#session.socket?.localAddress?.replace(/^::ffff:/, '')
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE` when the connection ends or the time is over, `LANEWAY_NACOS_REFUSED`
   *   for a gRPC status other than OK and for a request over {@link MAX_MESSAGE_BYTES}
   */
  unary(type: string, body: object, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      const bytes = this.#encode(type, body, headers)
      if (bytes.length > MAX_MESSAGE_BYTES) {
        return reject(
          new LanewayError(
            'LANEWAY_NACOS_REFUSED',
            `${type} has ${bytes.length} bytes, Nacos takes ${MAX_MESSAGE_BYTES}`,
          ),
        )
      }
      const stream = this.#open(UNARY)
      let answer: Buffer | undefined
      let status: string | undefined
      let text: string | undefined
      let failure: Error | undefined
      let settled = false
      const settle = (): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        if (answer !== undefined && status === '0') {
          decodeMessage(answer).then(resolve, error => reject(this.#failureOf(type, status, text, error)))
        } else reject(this.#failureOf(type, status, text, failure))
      }
      const timer = setTimeout(() => {
        failure = new Error(`no answer within ${timeoutMs} ms`)
        settle()
        stream.close(constants.NGHTTP2_CANCEL)
      }, timeoutMs)
      const reader = new FrameReader(MAX_MESSAGE_BYTES, message => {
        answer = message
      })
      const onHeaders = (fields: Record<string, unknown>): void => {
        if (typeof fields['grpc-status'] === 'string') status = fields['grpc-status']
        if (typeof fields['grpc-message'] === 'string') text = fields['grpc-message']
        if (typeof fields[':status'] === 'number' && fields[':status'] !== 200) {
          failure = new Error(`HTTP status ${fields[':status']}; is this the gRPC port?`)
        }
      }
      stream.on('response', onHeaders)
      stream.on('trailers', onHeaders)
      stream.on('data', (chunk: Buffer) => {
        try {
          reader.push(chunk)
        } catch (error) {
          failure = error as Error
          stream.close(constants.NGHTTP2_CANCEL)
        }
      })
      // Not on 'close': that waits for our own half too, and a large request may still be under way then.
      stream.on('end', settle)
      stream.on('error', error => {
        failure ??= error
      })
      stream.on('close', settle)
      stream.end(bytes)
    })
  }

  /** Opens the bi-stream. When it ends, the connection ends: without it the server would push nothing to the client. */
  openStream(): void {
    const stream = this.#open(STREAM)
    const refuse = (error: unknown) => {
      this.end(`the server sent bytes that are no message: ${(error as Error).message}`, error)
    }
    const reader = new FrameReader(MAX_MESSAGE_BYTES, bytes => {
      this.#delivered = this.#delivered.then(() => this.#deliver(bytes)).catch(refuse)
    })
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch (error) {
        refuse(error)
      }
    })
    stream.on('end', () => this.end('the server ended the bi-stream'))
    stream.on('error', error => this.end(`the bi-stream failed: ${error.message}`, error))
    stream.on('close', () => this.end('the bi-stream was closed'))
    this.#stream = stream
  }

  async #deliver(bytes: Buffer): Promise<void> {
    if (this.#ended !== undefined) return
    const message = await decodeMessage(bytes)
    if (this.#ended === undefined) this.#onPush(message)
  }

  /** Writes to the bi-stream: only `ConnectionSetupRequest` and answers to pushes belong there. */
  send(type: string, body: object): void {
    if (this.#ended === undefined) this.#stream?.write(this.#encode(type, body, {}))
  }

  /** Ends the connection at once. Idempotent. */
  end(why: string, cause?: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = new LanewayError(
      'LANEWAY_NACOS_UNAVAILABLE',
      `${this.address}: ${why}`,
      cause === undefined ? {} : { cause },
    )
    // Not here: destroyed inside an event of one of its streams, a session that is losing another one at that moment never
    // returns from native code (Node 20.20), and the process hangs at full load.
    setImmediate(() => this.#session.destroy())
    this.#onEnd(this.#ended)
  }

  #failureOf(type: string, status: string | undefined, text: string | undefined, failure?: Error): LanewayError {
    if (status !== undefined && status !== '0') {
      return new LanewayError('LANEWAY_NACOS_REFUSED', `${type}: gRPC status ${status} ${unescapeText(text ?? '')}`)
    }
    if (this.#ended !== undefined) return this.#ended
    const why = failure?.message ?? 'the stream ended'
    const options = failure === undefined ? undefined : { cause: failure }
    return new LanewayError('LANEWAY_NACOS_UNAVAILABLE', `${this.address} did not answer ${type}: ${why}`, options)
  }

  #open(path: string): ClientHttp2Stream {
    try {
      return this.#session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'laneway-nacos',
      })
    } catch (error) {
      // Destroyed by the network, and its event has not come yet.
      this.end(`the connection is gone: ${(error as Error).message}`, error)
      throw this.#ended
    }
  }

  #encode(type: string, body: object, headers: Readonly<Record<string, string>>): Buffer {
    const clientIp = this.localAddress ?? ''
    return frame(encodePayload({ type, headers, clientIp, body: Buffer.from(JSON.stringify(body)) }))
  }
}

async function decodeMessage(bytes: Buffer): Promise<Message> {
  const payload = decodePayload(bytes)
  const body = payload.body.length === 0 ? {} : await parseInTurns(payload.body)
  if (typeof body !== 'object' || body === null) throw new RangeError(`the body of ${payload.type} is no JSON object`)
  return { type: payload.type, body: body as Record<string, unknown> }
}

/** `grpc-message` is percent-encoded; a broken one is shown as it is. */
function unescapeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
