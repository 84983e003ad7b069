import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Source } from '@laneway/discovery'
import { EndpointsClient } from './client.js'
import { MAX_SERVICES, readQuestion } from './question.js'
import { Topic } from './topic.js'

/** What an endpoints server serves, and within which bounds. */
export interface EndpointsServerOptions {
  readonly source: Source
  /** Names without a namespace are completed by the one that the client says. */
  readonly hasNamespaces: boolean
  /** Streams at a time. */
  readonly maxClients: number
}

const BEAT_MS = 15_000
/** A client that reads nothing for this long is cut off; it comes back and is sent what is new. */
const BLOCKED_MS = 60_000
/** A service without clients is kept this long, so that a client that reconnects needs no new answer of the registry. */
const LINGER_MS = 60_000
/** Services followed at a time. */
const MAX_TOPICS = 10_000
/** All services of a client, each of a long name with its version, stand in one request. */
const MAX_HEADER_BYTES = MAX_SERVICES * 320
/** Connections besides the streams: probes, and clients that are about to be refused. */
const SPARE_CONNECTIONS = 100

/** Serves the endpoints of a source as event streams; {@link readQuestion} says how to ask. */
export class EndpointsServer {
  readonly server: Server
  readonly #options: EndpointsServerOptions
  readonly #topics = new Map<string, Topic>()
  readonly #idle = new Map<Topic, NodeJS.Timeout>()
  readonly #clients = new Set<EndpointsClient>()
  readonly #beat: NodeJS.Timeout

  constructor(options: EndpointsServerOptions) {
    this.#options = options
    const settings = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 10_000 }
    this.server = createServer(settings, (request, response) => this.#answer(request, response))
    this.server.maxConnections = options.maxClients + SPARE_CONNECTIONS
    this.#beat = setInterval(() => {
      for (const client of this.#clients) if (!client.beat(BLOCKED_MS)) this.#leave(client)
    }, BEAT_MS)
    this.#beat.unref()
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Ends all streams; the source stays open. */
  async close(): Promise<void> {
    clearInterval(this.#beat)
    for (const client of [...this.#clients]) this.#leave(client)
    for (const timer of this.#idle.values()) clearTimeout(timer)
    for (const topic of this.#topics.values()) topic.close()
    this.#topics.clear()
    await new Promise(resolve => {
      this.server.close(resolve)
      this.server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): ServerResponse {
    if (request.method !== 'GET') return refuse(response, 405, 'only GET is served')
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/healthz') return response.end('ok\n')
    if (path === '/readyz') {
      const connection = this.#options.source.connection?.()
      if (connection?.connected === true) return response.end('ok\n')
      return refuse(response, 503, connection?.error?.message ?? 'the registry has not answered yet')
    }
    if (path !== '/v1/endpoints') return refuse(response, 404, 'there is /v1/endpoints, /healthz and /readyz')
    const question = readQuestion(request.url ?? '', this.#options.hasNamespaces)
    if (typeof question === 'string') return refuse(response, 400, question)
    if (this.#clients.size >= this.#options.maxClients) {
      return refuse(response, 503, `${this.#options.maxClients} clients are served, which is the limit`)
    }
    const added = question.filter(({ service }) => !this.#topics.has(service)).length
    if (this.#topics.size + added > MAX_TOPICS) {
      return refuse(response, 503, `${MAX_TOPICS} services are followed, which is the limit`)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    const client = new EndpointsClient(response)
    this.#clients.add(client)
    response.on('close', () => this.#leave(client))
    response.on('error', () => this.#leave(client))
    for (const { service, name, version } of question) client.follow(this.#follow(service), name, version)
    return response
  }

  #follow(service: string): Topic {
    let topic = this.#topics.get(service)
    if (topic === undefined) {
      topic = new Topic(this.#options.source, service)
      this.#topics.set(service, topic)
    }
    clearTimeout(this.#idle.get(topic))
    this.#idle.delete(topic)
    return topic
  }

  #leave(client: EndpointsClient): void {
    if (!this.#clients.delete(client)) return
    for (const topic of client.close()) {
      if (topic.clients.size > 0 || this.#idle.has(topic)) continue
      const timer = setTimeout(() => {
        this.#idle.delete(topic)
        this.#topics.delete(topic.service)
        topic.close()
      }, LINGER_MS)
      timer.unref()
      this.#idle.set(topic, timer)
    }
  }
}

function refuse(response: ServerResponse, status: number, reason: string): ServerResponse {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  return response.end(`${reason}\n`)
}
