import type { EndpointInput } from '../endpoint/endpoint.js'
import type { SourceListener } from './source.js'

type Names = ReadonlySet<string>

interface Subscription {
  /** In lower case. */
  readonly service: string
  readonly listener: SourceListener
}

/** Subscriptions to a set of services that is known as a whole, as a fixed list or a file gives it. */
export class PublishedServices {
  /** By name in lower case, because host names ignore case. `undefined` until something was published. */
  #services: ReadonlyMap<string, readonly EndpointInput[]> | undefined
  #names: Names = new Set()
  #error: Error | undefined
  /** One entry a subscription: a listener may have several. */
  readonly #subscriptions = new Set<Subscription>()
  readonly #listListeners = new Set<(services: Names) => void>()

  /**
   * Publishes all services; those that are left out are missing. A service is reported when its list is another array than
   * before, and after `stale`.
   */
  replace(services: ReadonlyMap<string, readonly EndpointInput[]>): void {
    const before = this.#error === undefined ? this.#services : undefined
    this.#error = undefined
    this.#names = new Set(services.keys())
    this.#services = new Map([...services].map(([name, endpoints]) => [name.toLowerCase(), endpoints]))
    // The list first: a service that moves between sources finds its new owner.
    for (const listener of [...this.#listListeners]) listener(this.#names)
    for (const { service, listener } of [...this.#subscriptions]) {
      if (before === undefined || before.get(service) !== this.#services.get(service)) this.#report(service, listener)
    }
  }

  /** What was published cannot be read any more; it stays. */
  stale(error: Error): void {
    this.#error = error
    for (const { listener } of [...this.#subscriptions]) listener.stale(error)
  }

  subscribe(service: string, listener: SourceListener): () => void {
    const subscription = { service: service.toLowerCase(), listener }
    this.#subscriptions.add(subscription)
    this.#report(subscription.service, listener)
    if (this.#error !== undefined) listener.stale(this.#error)
    return () => {
      this.#subscriptions.delete(subscription)
    }
  }

  list(listener: (services: Names) => void): () => void {
    this.#listListeners.add(listener)
    if (this.#services !== undefined) listener(this.#names)
    return () => {
      this.#listListeners.delete(listener)
    }
  }

  close(): void {
    this.#subscriptions.clear()
    this.#listListeners.clear()
  }

  #report(service: string, listener: SourceListener): void {
    if (this.#services === undefined) return
    const endpoints = this.#services.get(service)
    if (endpoints === undefined) listener.missing()
    else listener.snapshot(endpoints)
  }
}
