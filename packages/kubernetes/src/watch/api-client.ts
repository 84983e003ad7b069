import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ClusterAccess, TlsMaterial } from '../access/cluster-access.js'
import { ApiError, statusError } from './api-error.js'
import { createItemSplitter } from './item-splitter.js'
import { createLineSplitter } from './line-splitter.js'

/** One GET of a collection. */
export interface ApiRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly accept: string
  readonly signal: AbortSignal
}

/** A watch: a GET whose answer is one JSON object a line, for minutes. */
export interface WatchRequest extends ApiRequest {
  /** No byte for this long ends the watch as an error. Asked at the beginning, and after each part. */
  readonly idleTimeoutMs: () => number
  /** The error of a silent watch, when it is not the ordinary one. */
  readonly onIdle?: () => Error | undefined
  /** The server has accepted. */
  readonly onOpen: () => void
  /** What it throws ends the watch. */
  readonly onLine: (line: string) => void
}

/** etcd refuses objects over 1.5 MiB. */
const MAX_OBJECT_BYTES = 16 * 1024 * 1024
/** libuv probes every second after this, ten times: a peer that vanished is noticed within 40 s. */
const TCP_KEEP_ALIVE_MS = 30_000

/** The few requests that a source makes of an API server. */
export class ApiClient {
  readonly #access: ClusterAccess
  readonly #timeoutMs: number
  #agent: HttpAgent | HttpsAgent | undefined
  #agentKey = ''

  /** @param timeoutMs - longest wait for an answer to begin, and between two parts of a list */
  constructor(access: ClusterAccess, timeoutMs: number) {
    this.#access = access
    this.#timeoutMs = timeoutMs
  }

  /** @throws ApiError for any status but 200, an `Error` of the connection, SyntaxError for what is no JSON */
  async get(request: ApiRequest): Promise<unknown> {
    const response = await this.#open(request)
    return JSON.parse((await this.#body(response)).toString('utf8'))
  }

  /**
   * Takes a list item by item, as its bytes come.
   *
   * @param onItem - what it throws ends the list
   * @returns the list without its items
   * @throws as {@link get}
   */
  async list(request: ApiRequest, onItem: (item: unknown) => void): Promise<unknown> {
    const response = await this.#open(request)
    const splitter = createItemSplitter(json => onItem(JSON.parse(json)), MAX_OBJECT_BYTES)
    await this.#read(response, splitter.write)
    return splitter.end()
  }

  /** Settles when the watch ends: resolved when the server ended it in good order. */
  async watch(request: WatchRequest): Promise<void> {
    const response = await this.#open(request)
    request.onOpen()
    const split = createLineSplitter(request.onLine, MAX_OBJECT_BYTES)
    await new Promise<void>((resolve, reject) => {
      let idleMs = request.idleTimeoutMs()
      const end = () => response.destroy(request.onIdle?.() ?? new ApiError(0, `no byte for ${idleMs} ms`))
      let idle = setTimeout(end, idleMs)
      response.on('data', (chunk: Buffer) => {
        try {
          split(chunk)
        } catch (error) {
          response.destroy(error as Error)
        }
        const now = request.idleTimeoutMs()
        if (now === idleMs) idle.refresh()
        else {
          clearTimeout(idle)
          idleMs = now
          idle = setTimeout(end, idleMs)
        }
      })
      response.on('end', resolve)
      response.on('error', reject)
      response.on('close', () => {
        clearTimeout(idle)
        reject(new ApiError(0, 'the connection ended'))
      })
    })
  }

  close(): void {
    this.#agent?.destroy()
  }

  async #open(request: ApiRequest): Promise<IncomingMessage> {
    let response = await this.#send(request, false)
    if (response.statusCode === 401) {
      // A rotated token or an expired plugin credential: once more, read anew.
      response.resume()
      response = await this.#send(request, true)
    }
    if (response.statusCode === 200) return response
    const text = (await this.#body(response)).toString('utf8')
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      body = { message: text.slice(0, 200) }
    }
    throw statusError(response.statusCode ?? 0, body, `GET ${request.path}`, response.headers['retry-after'])
  }

  async #send({ path, query, accept, signal }: ApiRequest, refused: boolean): Promise<IncomingMessage> {
    const { tls, headers } = await this.#access.credentials(refused)
    const { server } = this.#access
    const url = new URL(server)
    url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`
    url.search = new URLSearchParams(query).toString()
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agentOf(tls), headers: { ...headers, accept }, signal }
      const sent: ClientRequest = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options)
      const timer = setTimeout(() => {
        sent.destroy(new ApiError(0, `no answer within ${this.#timeoutMs} ms`))
      }, this.#timeoutMs)
      sent.on('response', response => {
        clearTimeout(timer)
        resolve(response)
      })
      sent.on('error', reject)
      sent.on('close', () => clearTimeout(timer))
      sent.end()
    })
  }

  /** Connections may be reused as long as the certificates are the same; a rotated CA or key makes a new agent. */
  #agentOf(tls: TlsMaterial): HttpAgent | HttpsAgent {
    const key = JSON.stringify([String(tls.ca ?? ''), String(tls.cert ?? ''), String(tls.key ?? '')])
    if (this.#agent === undefined || key !== this.#agentKey) {
      // Idle connections of the old agent end by themselves, running watches keep theirs.
      const options = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE_MS, timeout: 0 }
      this.#agent =
        this.#access.server.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls })
      this.#agentKey = key
    }
    return this.#agent
  }

  async #body(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    await this.#read(response, chunk => {
      size += chunk.length
      if (size > MAX_OBJECT_BYTES) throw new ApiError(0, `the answer is longer than ${MAX_OBJECT_BYTES} bytes`)
      chunks.push(chunk)
    })
    return Buffer.concat(chunks)
  }

  /** Hands over an answer as it comes. What `onChunk` throws ends it. */
  #read(response: IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        response.destroy(new ApiError(0, `no byte for ${this.#timeoutMs} ms`))
      }, this.#timeoutMs)
      response.on('data', (chunk: Buffer) => {
        timer.refresh()
        try {
          onChunk(chunk)
        } catch (error) {
          response.destroy(error as Error)
        }
      })
      response.on('end', resolve)
      response.on('error', reject)
      response.on('close', () => {
        clearTimeout(timer)
        reject(new ApiError(0, 'the connection ended inside an answer'))
      })
    })
  }
}
