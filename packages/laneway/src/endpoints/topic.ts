import { randomBytes } from 'node:crypto'
import type { EndpointInput, Source } from '@laneway/discovery'

/** Tells the versions of this process from those of an earlier one. */
const EPOCH = randomBytes(4).toString('hex')
let count = 0

/** Who follows a topic. */
export interface TopicFollower {
  /** There is something new to say about a service. */
  offer(topic: Topic): void
}

/** Names under which the list of a service is kept as bytes. Clients use one, or two. */
const MOST_NAMES = 8

/** One service, followed once for all clients. They are sent the same bytes, so that 2,000 slow ones hold one list. */
export class Topic {
  readonly service: string
  readonly clients = new Set<TopicFollower>()
  readonly #stop: () => void
  #version: string | undefined
  #body = ''
  readonly #bytes = new Map<string, Buffer>()
  #error: string | undefined

  constructor(source: Source, service: string) {
    this.service = service
    this.#stop = source.subscribe(service, {
      snapshot: endpoints => this.#update(JSON.stringify(endpoints.map(withTags))),
      missing: () => this.#update(''),
      stale: error => {
        this.#error = error.message
        for (const client of this.clients) client.offer(this)
      },
    })
  }

  /**
   * What a client has to hear.
   *
   * @param name - the service as the client calls it
   * @param known - the version that the client has
   * @returns the events, none when it knows all, and the version that it has then
   */
  events(
    name: string,
    known: string | undefined,
    isFirst: boolean,
  ): { events: (string | Buffer)[]; version: string | undefined } {
    const version = this.#version
    const service = JSON.stringify(name)
    const events: (string | Buffer)[] = []
    if (version !== undefined && version !== known) events.push(this.#list(name, version))
    else if (version !== undefined && this.#error === undefined && (isFirst || known === version)) {
      events.push(event('current', `{"service":${service}}`))
    }
    if (this.#error !== undefined)
      events.push(event('stale', `{"service":${service},"error":${JSON.stringify(this.#error)}}`))
    return { events, version: version ?? known }
  }

  #list(name: string, version: string): string | Buffer {
    const service = JSON.stringify(name)
    if (this.#body === '') return event('missing', `{"service":${service},"version":"${version}"}`)
    let bytes = this.#bytes.get(name)
    if (bytes === undefined) {
      bytes = Buffer.from(event('snapshot', `{"service":${service},"version":"${version}","endpoints":${this.#body}}`))
      if (this.#bytes.size < MOST_NAMES) this.#bytes.set(name, bytes)
    }
    return bytes
  }

  close(): void {
    this.#stop()
  }

  #update(body: string): void {
    const wasStale = this.#error !== undefined
    this.#error = undefined
    if (this.#version !== undefined && body === this.#body) {
      if (!wasStale) return
    } else {
      this.#body = body
      this.#bytes.clear()
      this.#version = `${EPOCH}.${++count}`
    }
    for (const client of this.clients) client.offer(this)
  }
}

/** Always with tags: a client refuses an endpoint that does not say them. */
function withTags(endpoint: EndpointInput): EndpointInput {
  return endpoint.tags === undefined ? { ...endpoint, tags: [] } : endpoint
}

function event(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`
}
