import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import type { KubeObject } from '../objects/kube-object.js'
import type { ResolvedKubernetesSourceOptions } from '../options.js'
import { METADATA_LIST, WHOLE } from '../watch/accept.js'
import type { ApiClient } from '../watch/api-client.js'
import { ApiError, isRefused } from '../watch/api-error.js'
import type { HeldEndpoint } from './join.js'
import { podSelectorOf, type ServiceSelector } from './pod-selector.js'

/** After these times, endpoints that are still held back are looked into. */
const DOUBTS_MS = [0, 2_000, 8_000, 30_000]
/** Held pods that are asked for by name each time. */
const PROBES = 3

/** What the selectors of the Services say about the pods. */
export interface PodScope {
  /** `undefined`: all pods. */
  readonly labelSelector: string | undefined
  /** The services whose pods these are; `undefined`: all. */
  readonly services: ReadonlySet<string> | undefined
}

/**
 * Finds out which pods the asked services need, from the selectors of their Services, so that a process does not follow
 * every pod of a namespace. Each Service is read once. Where that is not allowed, or does not explain the pods that the
 * slices name, all pods of the namespace are followed.
 */
export class ServiceSelectors {
  readonly #namespace: string
  readonly #client: ApiClient
  readonly #options: ResolvedKubernetesSourceOptions
  readonly #found: (scope: PodScope) => void
  readonly #abort = new AbortController()
  readonly #selectors = new Map<string, ServiceSelector>()
  readonly #doubts = new Map<string, { held: readonly HeldEndpoint[]; turn: number; timer: NodeJS.Timeout }>()
  #wanted: ReadonlySet<string> | undefined = new Set()
  #reading: Promise<void> | undefined
  #all = false

  /** @param found - which pods are to be followed from now on */
  constructor(
    namespace: string,
    client: ApiClient,
    options: ResolvedKubernetesSourceOptions,
    found: (scope: PodScope) => void,
  ) {
    this.#namespace = namespace
    this.#client = client
    this.#options = options
    this.#found = found
  }

  /** @param services - all that were asked for; `undefined`: every one of the namespace */
  want(services: ReadonlySet<string> | undefined): void {
    this.#wanted = services
    if (services === undefined) this.#widen()
    else if (this.#all) this.#widen()
    else
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
  }

  /** Which endpoints of a service are held back now. Those that stay so may be outside of the selector. */
  hold(service: string, held: readonly HeldEndpoint[]): void {
    const doubt = this.#doubts.get(service)
    if (held.length === 0 || this.#all) {
      clearTimeout(doubt?.timer)
      this.#doubts.delete(service)
    } else if (doubt !== undefined) doubt.held = held
    // A Service that is known may be ahead of its pods for a moment; slices without a Service have no such moment.
    else this.#doubt(service, held, this.#selectors.get(service) === undefined ? 0 : 1)
  }

  close(): void {
    this.#abort.abort()
    for (const { timer } of this.#doubts.values()) clearTimeout(timer)
    this.#doubts.clear()
  }

  /** Reads the Services that are not known, until all of them are. */
  async #read(): Promise<void> {
    for (;;) {
      const services = this.#wanted
      if (services === undefined || this.#all) return
      const missing = [...services].filter(service => !this.#selectors.has(service))
      if (missing.length === 0) break
      // One after the other, over one connection, which the watch of the pods uses afterwards.
      for (const service of missing) await this.#readOne(service)
      if (this.#abort.signal.aborted) return
    }
    this.#publish()
  }

  #publish(): void {
    if (this.#all || this.#wanted === undefined) return
    const known = [...this.#wanted].map(service => this.#selectors.get(service)).filter(one => one !== undefined)
    this.#found({ labelSelector: podSelectorOf(known), services: this.#wanted })
  }

  #widen(): void {
    this.#all = true
    for (const { timer } of this.#doubts.values()) clearTimeout(timer)
    this.#doubts.clear()
    this.#found({ labelSelector: undefined, services: undefined })
  }

  async #readOne(service: string): Promise<void> {
    const { minBackoffMs, maxBackoffMs, random } = this.#options
    for (let turn = 0; !this.#abort.signal.aborted; turn++) {
      try {
        const object = await this.#get(`services/${service}`, { resourceVersion: '0' })
        const { selector } = (object as { spec?: { selector?: ServiceSelector | null } }).spec ?? {}
        const has = selector != null && Object.keys(selector).length > 0
        this.#selectors.set(service, has ? selector : undefined)
        return
      } catch (error) {
        const status = error instanceof ApiError ? error.status : 0
        if (status === 404) this.#selectors.set(service, undefined)
        // Not allowed: the slices say which pods there are, and all pods are followed, as without this.
        else if (status >= 400 && status < 500 && status !== 429) this.#widen()
        if (this.#selectors.has(service) || this.#all) return
        const asked = error instanceof ApiError ? error.retryAfterMs : undefined
        const ms = asked ?? backoffMs(turn, minBackoffMs, maxBackoffMs, random)
        await sleep(ms, undefined, { signal: this.#abort.signal }).catch(() => {})
      }
    }
  }

  #doubt(service: string, held: readonly HeldEndpoint[], turn: number): void {
    const wait = DOUBTS_MS[turn]
    if (wait === undefined) return
    const timer = setTimeout(() => void this.#explain(service), wait - (DOUBTS_MS[turn - 1] ?? 0))
    this.#doubts.set(service, { held, turn, timer })
  }

  /** Endpoints are still held back: has the Service another selector by now, or are there pods that it does not select? */
  async #explain(service: string): Promise<void> {
    const doubt = this.#doubts.get(service)
    if (doubt === undefined) return
    const before = JSON.stringify(this.#selectors.get(service))
    await this.#readOne(service)
    if (this.#abort.signal.aborted || this.#all) return
    if (JSON.stringify(this.#selectors.get(service)) !== before) this.#publish()
    else if (await this.#exist(doubt.held)) return this.#widen()
    if (this.#doubts.get(service) === doubt) this.#doubt(service, doubt.held, doubt.turn + 1)
  }

  /** Whether any of the pods that the slices name is there. The pods of a slice that is late are gone. */
  async #exist(held: readonly HeldEndpoint[]): Promise<boolean> {
    for (const { pod, uid } of held.slice(0, PROBES)) {
      try {
        const query = { fieldSelector: `metadata.name=${pod}`, resourceVersion: '0' }
        const list = await this.#get('pods', query, METADATA_LIST)
        const { items } = list as { items?: readonly KubeObject[] | null }
        if (items?.some(one => one.metadata?.uid === uid)) return true
      } catch (error) {
        // Without the right to list the source cannot know. After other errors it asks again at the next turn.
        if (isRefused(error)) return true
      }
      if (this.#abort.signal.aborted) return false
    }
    return false
  }

  #get(path: string, query: Readonly<Record<string, string>>, accept = WHOLE): Promise<unknown> {
    return this.#client.get({
      path: `/api/v1/namespaces/${this.#namespace}/${path}`,
      query,
      accept,
      signal: this.#abort.signal,
    })
  }
}
