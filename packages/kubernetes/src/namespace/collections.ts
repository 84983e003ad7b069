import { LanewayError } from '@laneway/core'
import type { SourceConnection } from '@laneway/discovery'
import type { KubeObject } from '../objects/kube-object.js'
import type { ResolvedKubernetesSourceOptions } from '../options.js'
import type { ApiClient } from '../watch/api-client.js'
import { isRefused, sourceError } from '../watch/api-error.js'
import { Reflector } from '../watch/reflector.js'
import { covers, type Selection } from '../watch/selection.js'

/** A collection of a namespace. */
export type Resource = 'endpointslices' | 'pods' | 'services'

const GROUPS: Record<Resource, string> = {
  endpointslices: '/apis/discovery.k8s.io/v1',
  pods: '/api/v1',
  services: '/api/v1',
}

const HINTS: Record<Resource, string> = {
  endpointslices: ' of API group discovery.k8s.io',
  pods: ", or use laneFrom: 'serviceLabel' with one Service per lane, which needs no pods",
  services: ', or give the option port a name instead of a number',
}

/** What is done with the objects of a collection. */
export interface CollectionHandler<T> {
  read(object: KubeObject): T
  replaced(objects: Map<string, T>): void
  changed(uid: string, value: T | undefined, before: T | undefined): void
}

/** The reports of the collections to their owner. */
export interface CollectionsListener {
  /** More services can be answered for, or all of them are up to date again. */
  usable(): void
  lost(error: LanewayError): void
}

/** The collections of a namespace that are followed: how far they were listed, and whether they are connected. */
export class Collections {
  readonly #namespace: string
  readonly #client: ApiClient
  readonly #options: ResolvedKubernetesSourceOptions
  readonly #server: { streamsLists: boolean }
  readonly #listener: CollectionsListener
  readonly #reflectors = new Map<Resource, Reflector<unknown>>()
  readonly #listed = new Map<Resource, Selection>()
  readonly #awaited: Set<Resource>
  readonly #lost = new Map<Resource, LanewayError>()
  readonly #ready: Promise<void>
  #resolveReady: () => void = () => {}
  #rejectReady: (error: Error) => void = () => {}

  /** @param resources - all that will be followed */
  constructor(
    namespace: string,
    client: ApiClient,
    options: ResolvedKubernetesSourceOptions,
    server: { streamsLists: boolean },
    resources: readonly Resource[],
    listener: CollectionsListener,
  ) {
    this.#namespace = namespace
    this.#client = client
    this.#options = options
    this.#server = server
    this.#awaited = new Set(resources)
    this.#listener = listener
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.#ready.catch(() => {})
  }

  /** Settles when every collection was listed once; rejects when the API server refuses a right. */
  ready(): Promise<void> {
    return this.#ready
  }

  /** Whether all that a service is made of is known. */
  know(service: string): boolean {
    if (this.#awaited.size > 0) return false
    for (const selection of this.#listed.values()) if (!covers(selection, service)) return false
    return true
  }

  /** Whether every service of the namespace is known by its slices. */
  get knowAllNames(): boolean {
    const selection = this.#listed.get('endpointslices')
    return selection !== undefined && selection.services === undefined
  }

  /** Why a collection is not followed now. */
  get error(): LanewayError | undefined {
    return this.#lost.values().next().value
  }

  /** Whether the collections are being followed; `undefined` before all of them were listed once. */
  get connection(): SourceConnection | undefined {
    const { error } = this
    if (error !== undefined) return { connected: false, error }
    return this.#awaited.size === 0 ? { connected: true } : undefined
  }

  /** Follows a selection of a collection; another one when the collection is followed already. */
  follow<T>(resource: Resource, selection: Selection, metadataOnly: boolean, handler: CollectionHandler<T>): void {
    const reflector = this.#reflectors.get(resource)
    if (reflector === undefined) this.#start(resource, selection, metadataOnly, handler)
    else reflector.select(selection)
  }

  #start<T>(resource: Resource, selection: Selection, metadataOnly: boolean, handler: CollectionHandler<T>): void {
    const { requestTimeoutMs, idleTimeoutMs, relistMs, minBackoffMs, maxBackoffMs, random } = this.#options
    const started = new Reflector<T>(
      {
        client: this.#client,
        path: `${GROUPS[resource]}/namespaces/${this.#namespace}/${resource}`,
        metadataOnly,
        server: this.#server,
        requestTimeoutMs,
        idleTimeoutMs,
        relistMs,
        minBackoffMs,
        maxBackoffMs,
        random,
      },
      selection,
      {
        read: handler.read,
        changed: handler.changed,
        replaced: (objects, listed) => {
          handler.replaced(objects)
          this.#covers(resource, listed)
        },
        covers: listed => this.#covers(resource, listed),
        live: () => {
          if (this.#lost.delete(resource) && this.#lost.size === 0) this.#listener.usable()
        },
        lost: (error, verb) => {
          const reported = sourceError(error, verb, resource, this.#namespace, HINTS[resource])
          this.#lost.set(resource, reported)
          if (isRefused(error)) this.#rejectReady(reported)
          this.#listener.lost(reported)
        },
      },
    )
    this.#reflectors.set(resource, started as Reflector<unknown>)
  }

  async close(): Promise<void> {
    this.#rejectReady(new LanewayError('LANEWAY_CLOSED', `the watch of namespace ${this.#namespace} was closed`))
    await Promise.all(Array.from(this.#reflectors.values(), reflector => reflector.close()))
  }

  #covers(resource: Resource, selection: Selection): void {
    this.#listed.set(resource, selection)
    this.#awaited.delete(resource)
    if (this.#awaited.size === 0) this.#resolveReady()
    this.#listener.usable()
  }
}
