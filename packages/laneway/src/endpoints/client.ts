import type { ServerResponse } from 'node:http'
import type { Topic, TopicFollower } from './topic.js'

/** One stream to a client. A slow one is sent the newest list of each service when it has read what was sent before. */
export class EndpointsClient implements TopicFollower {
  readonly #response: ServerResponse
  /** The names that the client has for a service, nearly always one, each with the version that it has. */
  readonly #topics = new Map<Topic, Map<string, string | undefined>>()
  readonly #pending = new Set<Topic>()
  #blockedSince: number | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => {
      this.#blockedSince = undefined
      for (const topic of this.#pending) {
        this.#pending.delete(topic)
        this.offer(topic)
        if (this.#blockedSince !== undefined) break
      }
    })
  }

  /** @param version - the one that the client has from an earlier stream */
  follow(topic: Topic, name: string, version: string | undefined): void {
    const names = this.#topics.get(topic) ?? new Map<string, string | undefined>()
    this.#topics.set(topic, names.set(name, version))
    topic.clients.add(this)
    this.#send(topic, true)
  }

  offer(topic: Topic): void {
    this.#send(topic, false)
  }

  /** Keeps the stream alive. Returns `false` when the client has not read for `mostMs`. */
  beat(mostMs: number): boolean {
    if (this.#blockedSince !== undefined) return performance.now() - this.#blockedSince < mostMs
    this.#write(':\n\n')
    return true
  }

  /** @returns the services that it followed */
  close(): Topic[] {
    const topics = [...this.#topics.keys()]
    for (const topic of topics) topic.clients.delete(this)
    this.#topics.clear()
    this.#response.destroy()
    return topics
  }

  #send(topic: Topic, isFirst: boolean): void {
    const names = this.#topics.get(topic)
    if (names === undefined) return
    if (this.#blockedSince !== undefined) {
      this.#pending.add(topic)
      return
    }
    for (const [name, known] of names) {
      const { events, version } = topic.events(name, known, isFirst)
      names.set(name, version)
      for (const event of events) this.#write(event)
    }
  }

  #write(event: string | Buffer): void {
    if (!this.#response.write(event)) this.#blockedSince ??= performance.now()
  }
}
