import type { EndpointInput } from '../endpoint/endpoint.js'
import type { Source, SourceListener } from '../source/source.js'

type Names = ReadonlySet<string>

/**
 * One source among all the resolvers of this process that use it: one subscription per service, however many ask, and
 * the last release ends it. A later subscriber gets the last report again.
 */
export class SourceHub {
  readonly source: Source
  readonly #topics = new Map<string, Topic>()
  readonly #listListeners = new Set<(services: Names) => void>()
  #names: Names | undefined
  #stopList: (() => void) | undefined
  #onDemand = false
  #users = 0

  constructor(source: Source) {
    this.source = source
  }

  /** Counts a resolver in. */
  addUser(): void {
    this.#users++
  }

  /** Counts a resolver out; the last one closes the source, if it may. */
  async removeUser(closeSource: boolean): Promise<void> {
    this.#users--
    if (this.#users > 0 || !closeSource) return
    hubs.delete(this.source)
    await this.source.close()
  }

  /** @returns releases the subscription; calling it twice does nothing */
  subscribe(service: string, listener: SourceListener): () => void {
    let topic = this.#topics.get(service)
    if (topic === undefined) {
      topic = new Topic(() => this.#topics.delete(service))
      this.#topics.set(service, topic)
      topic.add(listener)
      topic.start(this.source, service)
    } else {
      topic.add(listener)
      topic.repeat(listener)
    }
    const joined = topic
    return () => joined.remove(listener)
  }

  /** Whether resolvers know the services of the source by a list. */
  get lists(): boolean {
    return this.source.list !== undefined && this.source.listOnRequest !== true
  }

  /** Where the source {@link lists} its services the listener is called with each list. See `Source.list`. */
  list(listener: (services: Names) => void, onDemand = false): () => void {
    if (!this.lists) return () => {}
    this.#listListeners.add(listener)
    if (this.#names !== undefined) listener(this.#names)
    // One resolver that needs the names at once is enough.
    if (this.#listListeners.size === 1 || (this.#onDemand && !onDemand)) this.#startList(onDemand)
    return () => {
      if (!this.#listListeners.delete(listener) || this.#listListeners.size > 0) return
      this.#stopList?.()
      this.#stopList = undefined
      this.#names = undefined
    }
  }

  #startList(onDemand: boolean): void {
    this.#stopList?.()
    this.#onDemand = onDemand
    this.#stopList = this.source.list?.(names => {
      // A copy: the source may go on using its set.
      this.#names = new Set(names)
      for (const one of [...this.#listListeners]) one(this.#names)
    }, onDemand)
  }
}

class Topic implements SourceListener {
  readonly #listeners = new Set<SourceListener>()
  readonly #ended: () => void
  #stop: (() => void) | undefined
  #over = false
  #endpoints: readonly EndpointInput[] | undefined
  #missing = false
  #error: Error | undefined

  constructor(ended: () => void) {
    this.#ended = ended
  }

  start(source: Source, service: string): void {
    let stop: () => void = () => {}
    try {
      stop = source.subscribe(service, this)
    } catch (error) {
      this.stale(error instanceof Error ? error : new Error(String(error)))
    }
    if (this.#over) stop()
    else this.#stop = stop
  }

  add(listener: SourceListener): void {
    this.#listeners.add(listener)
  }

  remove(listener: SourceListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
    this.#over = true
    this.#ended()
    this.#stop?.()
  }

  repeat(listener: SourceListener): void {
    if (this.#missing) listener.missing()
    else if (this.#endpoints !== undefined) listener.snapshot(this.#endpoints)
    if (this.#error !== undefined) listener.stale(this.#error)
  }

  snapshot(endpoints: readonly EndpointInput[]): void {
    if (this.#over) return
    this.#endpoints = endpoints
    this.#missing = false
    this.#error = undefined
    for (const listener of [...this.#listeners]) listener.snapshot(endpoints)
  }

  missing(): void {
    if (this.#over) return
    this.#endpoints = undefined
    this.#missing = true
    this.#error = undefined
    for (const listener of [...this.#listeners]) listener.missing()
  }

  stale(error: Error): void {
    if (this.#over) return
    this.#error = error
    for (const listener of [...this.#listeners]) listener.stale(error)
  }
}

const hubs = new WeakMap<Source, SourceHub>()

/** The hub of a source; one per source object. */
export function hubOf(source: Source): SourceHub {
  let hub = hubs.get(source)
  if (hub === undefined) {
    hub = new SourceHub(source)
    hubs.set(source, hub)
  }
  return hub
}
