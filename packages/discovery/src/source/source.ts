import type { EndpointInput } from '../endpoint/endpoint.js'
import type { ZonePreference } from '../zone/zone-options.js'

/** What a source reports about one service. Empty list, unknown service and lost registry are three different facts. */
export interface SourceListener {
  /** The full list of the service at this moment; `[]` is a fact: the service exists and has no instances. */
  snapshot(endpoints: readonly EndpointInput[]): void
  /** The registry says that there is no such service. */
  missing(): void
  /**
   * The registry cannot be reached or answered nonsense: what was known stays in use, marked stale, until the next
   * `snapshot` or `missing`.
   */
  stale(error: Error): void
}

/** What a source knows about its connection. */
export interface SourceConnection {
  readonly connected: boolean
  /** Why it is not connected. Without secrets. */
  readonly error?: Error | undefined
}

/** What a source knows about the zone of this process. */
export interface SourceZone {
  /** As in `zone` of the endpoints of the source. */
  readonly name: string
  readonly prefer: ZonePreference
}

/**
 * Where snapshots come from: Nacos, Kubernetes, a file, a fixed list.
 *
 * A source reports in its own time and never throws from `subscribe`; the resolver shares one subscription per
 * service among all its users, and calls the returned function once, when the last user has gone.
 */
export interface Source {
  /** Short name for messages and events, e.g. `nacos`. */
  readonly name: string
  /** Where it reads, for messages, e.g. `127.0.0.1:8848, namespace public, group DEFAULT_GROUP`. Without secrets. */
  readonly where?: string
  /**
   * Starts reporting a service. The listener may be called synchronously.
   * @param service - canonical name, e.g. `sc-B`, or `orders.shop` for service `orders` in namespace `shop`
   * @returns stops the subscription; calling it twice does nothing
   */
  subscribe(service: string, listener: SourceListener): () => void
  /**
   * Reports the names of all services the source knows, now and whenever the set changes. A source that cannot list
   * leaves it out: then only declared services are resolved through it.
   * @param onDemand - all services are declared so far: a source to which a list is a cost may wait with it until one that
   *   is asked for has no instances, and may have another spelling
   * @returns stops the listing
   */
  list?(listener: (services: ReadonlySet<string>) => void, onDemand?: boolean): () => void
  /** Calls to an instance of the service got no connection: its list may be old. Never throws. */
  suspect?(service: string): void
  /**
   * `true`: to list makes the source follow much more than the services that are asked for. Resolvers then ask for each
   * name instead. @default false
   */
  readonly listOnRequest?: boolean
  /** `false` where names that differ only by case are different services (Nacos). @default true */
  readonly caseInsensitive?: boolean
  /**
   * Whether the source reaches what it reads from, for `health()`. One that leaves it out is judged by its services.
   * `undefined` while nothing is known. Never throws.
   */
  connection?(): SourceConnection | undefined
  /**
   * The zone of this process, where the source knows it, and how zones count by the custom of its registry. It holds for the
   * services of this source, unless the user names a zone. Asked with each snapshot; never throws.
   */
  zone?(): SourceZone | undefined
  /** Ends all subscriptions and leaves no handle open. */
  close(): Promise<void>
}
