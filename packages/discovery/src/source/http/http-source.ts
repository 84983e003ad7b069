import { setTimeout as sleep } from 'node:timers/promises'
import { LanewayError, runInLane } from '@laneway/core'
import {
  backoffMs,
  callback,
  milliseconds,
  OptionPlace,
  type OptionTable,
  readOptions,
  text,
  unchecked,
} from '@laneway/core/internal'
import type { EndpointInput } from '../../endpoint/endpoint.js'
import { detectNamespace } from '../../service/name/namespace.js'
import type { Source, SourceConnection, SourceListener } from '../source.js'
import { followStream } from './endpoints-stream.js'
import { readServiceEvent, type ServiceEvent } from './service-event.js'

/** Options of {@link createHttpSource}. */
export interface HttpSourceOptions {
  /**
   * Where the server looks for service names without namespace.
   * @default `POD_NAMESPACE`, else that of the pod, else `default`: as the resolver
   */
  readonly namespace?: string
  /** Longest wait for an answer to begin. @default 10000 */
  readonly requestTimeoutMs?: number
  /** A stream without a byte for this long is opened anew. @default 45000; the server sends one every 15 s */
  readonly idleTimeoutMs?: number
  /** First pause after a failure, doubled each time. @default 800 */
  readonly minBackoffMs?: number
  /** @default 30000 */
  readonly maxBackoffMs?: number
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** @default Math.random */
  readonly random?: () => number
}

const OPTIONS = {
  namespace: text(undefined),
  requestTimeoutMs: milliseconds(10_000, 1),
  idleTimeoutMs: milliseconds(45_000, 1),
  minBackoffMs: milliseconds(800, 1),
  maxBackoffMs: milliseconds(30_000, 1),
  env: unchecked<Readonly<Record<string, string | undefined>>>(process.env),
  random: callback<() => number, () => number>(Math.random),
} satisfies OptionTable<HttpSourceOptions>

/** What a server takes. One name that it refuses would cost all services their stream. */
const NAME = /^[\w.:@-]{1,255}$/
const MAX_SERVICES = 1_000

interface Topic {
  readonly listeners: Set<SourceListener>
  version: string | undefined
  /** `undefined` before the first answer, `missing` when there is no such service. */
  endpoints: readonly EndpointInput[] | 'missing' | undefined
  error: Error | undefined
}

/**
 * A source that follows an endpoints server (`laneway endpoints --serve`), so that many processes share one watch of the
 * registry. One connection, whatever the number of services. The server sends whole lists with a version; after a
 * reconnect it sends those that have changed since. A lost server keeps the last good list, marked stale.
 *
 * @param url - e.g. `http://laneway-endpoints:7070`
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createHttpSource(url: string, options: HttpSourceOptions = {}): Source {
  const resolved = readOptions('createHttpSource', options, OPTIONS)
  const base = URL.canParse(url) ? new URL(url) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol) || base.username !== '') {
    throw new OptionPlace('createHttpSource', ['url']).unexpected('an http or https URL without user', url)
  }
  return new HttpSource(base, resolved)
}

class HttpSource implements Source {
  readonly name = 'http'
  readonly where: string
  readonly #base: URL
  readonly #options
  readonly #namespace: string
  readonly #topics = new Map<string, Topic>()
  #abort = new AbortController()
  /** Other services are wanted than those of the stream. */
  #isOutdated = false
  #connected: boolean | undefined
  #error: LanewayError | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(base: URL, options: ReturnType<typeof readOptions<typeof OPTIONS>>) {
    this.#base = base
    this.#options = options
    this.#namespace = options.namespace ?? detectNamespace(options.env)
    this.where = base.host
  }

  subscribe(service: string, listener: SourceListener): () => void {
    if (this.#closed) {
      listener.stale(new LanewayError('LANEWAY_CLOSED', 'the HTTP source is closed'))
      return () => {}
    }
    if (!NAME.test(service)) {
      listener.missing()
      return () => {}
    }
    if (!this.#topics.has(service) && this.#topics.size >= MAX_SERVICES) {
      const problem = `${service} is one more than the ${MAX_SERVICES} services that one HTTP source can follow`
      listener.stale(new LanewayError('LANEWAY_SOURCE', problem))
      return () => {}
    }
    const topic = this.#topics.get(service) ?? this.#add(service)
    topic.listeners.add(listener)
    report(topic, listener)
    const error = topic.error ?? this.#error
    if (error !== undefined) listener.stale(error)
    return () => {
      topic.listeners.delete(listener)
      // The stream goes on with it until something else changes: most who leave come back.
      if (topic.listeners.size === 0 && this.#topics.get(service) === topic) this.#topics.delete(service)
    }
  }

  connection(): SourceConnection | undefined {
    return this.#connected === undefined ? undefined : { connected: this.#connected, error: this.#error }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#topics.clear()
    this.#abort.abort()
    await this.#running
  }

  #add(service: string): Topic {
    const topic: Topic = { listeners: new Set(), version: undefined, endpoints: undefined, error: undefined }
    this.#topics.set(service, topic)
    if (!this.#isOutdated) {
      this.#isOutdated = true
      // In the next turn of the loop, so that services that are asked for together need one stream. In no lane: the caller
      // may be inside a request.
      runInLane(undefined, () =>
        setImmediate(() => {
          this.#abort.abort()
          this.#running ??= this.#run()
        }),
      )
    }
    return topic
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#closed) {
      if (this.#topics.size === 0) break
      const abort = new AbortController()
      this.#abort = abort
      this.#isOutdated = false
      let isUseful = false
      try {
        await followStream({
          url: this.#url(),
          signal: abort.signal,
          requestTimeoutMs: this.#options.requestTimeoutMs,
          idleTimeoutMs: this.#options.idleTimeoutMs,
          onOpen: () => {
            this.#connected = true
            this.#error = undefined
          },
          onEvent: event => {
            const read = readServiceEvent(event)
            if (read !== undefined) this.#receive(read)
            isUseful = true
          },
        })
      } catch (error) {
        if (this.#closed) return
        if (abort.signal.aborted) continue
        // Nonsense behind something useful would be asked for again and again.
        const isNonsense = [TypeError, SyntaxError, RangeError].some(kind => error instanceof kind)
        failures = isUseful && !isNonsense ? 1 : failures + 1
        // A single lost connection is no news, unless nothing was ever known.
        if (failures > 1 || this.#connected === undefined) this.#lost(error as Error)
        await this.#pause(failures)
      }
    }
    // Nobody asks for anything: the next service starts it again.
    this.#running = undefined
  }

  async #pause(failures: number): Promise<void> {
    const { minBackoffMs, maxBackoffMs, random } = this.#options
    const until = performance.now() + backoffMs(failures - 1, minBackoffMs, maxBackoffMs, random)
    // Services that are asked for meanwhile do not shorten it.
    for (let left = 1; left > 0 && !this.#closed; left = until - performance.now()) {
      this.#abort = new AbortController()
      await sleep(Math.max(1, until - performance.now()), undefined, { signal: this.#abort.signal }).catch(() => {})
    }
  }

  /** All services that are wanted, each with the version that is known. */
  #url(): URL {
    const url = new URL(this.#base)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/endpoints`
    const query = new URLSearchParams({ namespace: this.#namespace })
    for (const [service, { version }] of this.#topics) {
      query.append('service', version === undefined ? service : `${service}@${version}`)
    }
    url.search = query.toString()
    return url
  }

  #receive(event: ServiceEvent): void {
    const topic = this.#topics.get(event.service)
    if (topic === undefined) return
    if (event.type === 'stale') {
      topic.error = new LanewayError('LANEWAY_SOURCE', `${this.where}: ${event.error}`)
      for (const listener of [...topic.listeners]) listener.stale(topic.error)
      return
    }
    const wasStale = topic.error !== undefined
    topic.error = undefined
    if (event.type === 'current') {
      if (!wasStale) return
    } else {
      topic.version = event.version
      topic.endpoints = event.type === 'missing' ? 'missing' : event.endpoints
    }
    for (const listener of [...topic.listeners]) report(topic, listener)
  }

  #lost(cause: Error): void {
    const error = new LanewayError('LANEWAY_SOURCE', `the endpoints server ${this.where} is lost: ${cause.message}`, {
      cause,
    })
    this.#connected = false
    this.#error = error
    for (const topic of this.#topics.values()) {
      topic.error = error
      for (const listener of [...topic.listeners]) listener.stale(error)
    }
  }
}

function report({ endpoints }: Topic, listener: SourceListener): void {
  if (endpoints === 'missing') listener.missing()
  else if (endpoints !== undefined) listener.snapshot(endpoints)
}
