import { LanewayError } from '@laneway/core'
import type { SourceConnection, SourceListener } from '@laneway/discovery'
import type { KubeObject } from '../objects/kube-object.js'
import { createLabels } from '../objects/label-sets.js'
import { type Pod, readPod } from '../objects/pod.js'
import { readServicePorts, type ServicePorts } from '../objects/service-ports.js'
import { readSlice, SERVICE_NAME } from '../objects/slice.js'
import type { ResolvedKubernetesSourceOptions } from '../options.js'
import type { ApiClient } from '../watch/api-client.js'
import { isRefused, sourceError } from '../watch/api-error.js'
import { Reflector } from '../watch/reflector.js'
import { createCoalescer } from './coalesce.js'
import { createHeldBack } from './held-back.js'
import { type ServiceParts, ServiceView } from './service-view.js'
import { SliceIndex } from './slice-index.js'

type Resource = 'endpointslices' | 'pods' | 'services'

/** Slices hold about 100 endpoints each, pods are metadata only: pages that parse in a few milliseconds. */
const PAGE = { endpointslices: 5, pods: 100, services: 100 }
/** About 1,000 endpoints joined in one turn of the loop, a millisecond. */
const SLICES_A_TURN = 10

/** All that is watched in one namespace, and the services of it that somebody asked for. */
export class NamespaceView {
  readonly #namespace: string
  readonly #client: ApiClient
  readonly #options: ResolvedKubernetesSourceOptions
  readonly #labels
  readonly #slices: SliceIndex
  readonly #services = new Map<string, ServiceView>()
  readonly #listings = new Set<(services: ReadonlySet<string>) => void>()
  readonly #reflectors: Reflector<unknown>[] = []
  /** Which collections have not been listed yet. */
  readonly #awaited = new Set<Resource>()
  readonly #lost = new Map<Resource, Error>()
  readonly #dirty = new Set<string>()
  readonly #coalescer
  readonly #held
  readonly #ready: Promise<void>
  #resolveReady: () => void = () => {}
  #rejectReady: (error: Error) => void = () => {}
  #pods: Map<string, Pod> | undefined
  #servicePorts: Map<string, ServicePorts> | undefined
  #serviceNames = new Map<string, string>()
  #listed: ReadonlySet<string> | undefined

  constructor(namespace: string, client: ApiClient, options: ResolvedKubernetesSourceOptions) {
    this.#namespace = namespace
    this.#client = client
    this.#options = options
    this.#labels = createLabels(options.tagLabels)
    this.#slices = new SliceIndex(options.laneFrom === 'serviceLabel')
    this.#coalescer = createCoalescer(() => this.#flush(), options.coalesceMs)
    this.#held = createHeldBack(namespace, options.reportHeldAfterMs, options.warn, service => this.#touch(service))
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.#ready.catch(() => {})
    this.#mirrorSlices()
    if (options.laneFrom === 'podLabels') this.#mirrorPods()
    if (typeof options.port === 'number' || [...options.ports.values()].some(port => typeof port === 'number')) {
      this.#mirrorServices()
    }
  }

  /** Settles when everything was listed once; rejects when the API server refuses a right. */
  ready(): Promise<void> {
    return this.#ready
  }

  /** Whether the collections are being followed; `undefined` before all of them were listed once. */
  get connection(): SourceConnection | undefined {
    const error = this.#lost.values().next().value
    if (error !== undefined) return { connected: false, error }
    return this.#awaited.size === 0 ? { connected: true } : undefined
  }

  subscribe(service: string, listener: SourceListener): () => void {
    const view = this.#services.get(service) ?? this.#addService(service)
    view.listeners.add(listener)
    const error = this.#lost.values().next().value
    if (view.last !== undefined) listener.snapshot(view.last)
    else if (this.#awaited.size === 0 && this.#slices.of(service).length === 0) listener.missing()
    else this.#touch(service)
    if (error !== undefined) listener.stale(error)
    return () => {
      view.listeners.delete(listener)
      if (view.listeners.size > 0) return
      this.#services.delete(service)
      this.#held.update(service, [])
    }
  }

  list(listener: (services: ReadonlySet<string>) => void): () => void {
    this.#listings.add(listener)
    if (this.#listed !== undefined) listener(this.#listed)
    return () => this.#listings.delete(listener)
  }

  async close(): Promise<void> {
    this.#rejectReady(new LanewayError('LANEWAY_CLOSED', `the watch of namespace ${this.#namespace} was closed`))
    this.#coalescer.close()
    this.#held.close()
    this.#services.clear()
    this.#listings.clear()
    await Promise.all(this.#reflectors.map(reflector => reflector.close()))
  }

  #addService(service: string): ServiceView {
    const { port, ports, addressFamily, warn } = this.#options
    const where = `service ${service} in namespace ${this.#namespace}`
    const wanted = ports.get(`${service}.${this.#namespace}`) ?? ports.get(service) ?? port
    const view = new ServiceView({
      port: wanted,
      addressFamily,
      onAmbiguousPort: (names, chosen) =>
        warn(
          `${where} has the ports ${names.join(', ')} and none is named http: ${chosen} is used. Name one with the option port.`,
        ),
      onMissingPort: names =>
        warn(`${where} has no port ${wanted ?? ''}: its ports are ${names.join(', ') || 'none'}. See the option port.`),
    })
    this.#services.set(service, view)
    return view
  }

  #mirrorSlices(): void {
    const selector = [SERVICE_NAME, this.#options.sliceSelector].filter(Boolean).join(',')
    this.#mirror('endpointslices', '/apis/discovery.k8s.io/v1', selector, false, {
      read: object => readSlice(object, this.#labels),
      replaced: slices => this.#slices.replace(slices, service => this.#touch(service)),
      changed: (uid, slice) => this.#slices.set(uid, slice, service => this.#touch(service)),
    })
  }

  #mirrorPods(): void {
    this.#mirror<Pod>('pods', '/api/v1', this.#options.podSelector, true, {
      read: object => readPod(object, this.#labels),
      replaced: pods => {
        this.#pods = pods
        for (const [service, view] of this.#services) {
          view.forgetAll()
          this.#touch(service)
        }
      },
      changed: (uid, pod, before) => {
        if (pod === undefined) this.#pods?.delete(uid)
        else this.#pods?.set(uid, pod)
        // Most events of a pod are about its status, which is not kept.
        if (pod !== undefined && pod.labels === before?.labels) return
        for (const [service, view] of this.#services) if (view.forgetPod(uid)) this.#touch(service)
      },
    })
  }

  #mirrorServices(): void {
    const names = this.#serviceNames
    this.#mirror<{ name: string; ports: ServicePorts }>('services', '/api/v1', undefined, false, {
      read: readServicePorts,
      replaced: services => {
        names.clear()
        this.#servicePorts = new Map()
        for (const [uid, { name, ports }] of services) {
          names.set(uid, name)
          this.#servicePorts.set(name, ports)
        }
        this.#forgetAll()
      },
      changed: (uid, service) => {
        const name = service?.name ?? names.get(uid) ?? ''
        if (service === undefined) this.#servicePorts?.delete(name)
        else this.#servicePorts?.set(name, service.ports)
        names.set(uid, name)
        this.#forgetAll()
      },
    })
  }

  #mirror<T>(
    resource: Resource,
    group: string,
    labelSelector: string | undefined,
    metadataOnly: boolean,
    handler: {
      read(object: KubeObject): T
      replaced(objects: Map<string, T>): void
      changed(uid: string, value: T | undefined, before: T | undefined): void
    },
  ): void {
    this.#awaited.add(resource)
    const { idleTimeoutMs, relistMs, minBackoffMs, maxBackoffMs, random } = this.#options
    const reflector = new Reflector<T>(
      {
        client: this.#client,
        path: `${group}/namespaces/${this.#namespace}/${resource}`,
        query: labelSelector === undefined || labelSelector === '' ? {} : { labelSelector },
        metadataOnly,
        pageSize: PAGE[resource],
        idleTimeoutMs,
        relistMs,
        minBackoffMs,
        maxBackoffMs,
        random,
      },
      {
        read: handler.read,
        changed: handler.changed,
        replaced: objects => {
          handler.replaced(objects)
          this.#awaited.delete(resource)
          if (this.#awaited.size === 0) this.#resolveReady()
          for (const service of this.#services.keys()) this.#touch(service)
          this.#coalescer.schedule()
        },
        live: () => this.#found(resource),
        lost: (error, verb) => this.#isLost(resource, error, verb),
      },
    )
    this.#reflectors.push(reflector as Reflector<unknown>)
  }

  #isLost(resource: Resource, error: unknown, verb: string): void {
    const told = sourceError(error, verb, resource, this.#namespace, HINTS[resource])
    this.#lost.set(resource, told)
    if (isRefused(error)) this.#rejectReady(told)
    for (const view of this.#services.values()) for (const listener of view.listeners) listener.stale(told)
  }

  #found(resource: Resource): void {
    if (!this.#lost.delete(resource) || this.#lost.size > 0) return
    // What was known is confirmed: told again, it is no longer stale.
    for (const service of this.#services.keys()) this.#touch(service)
  }

  #forgetAll(): void {
    for (const [service, view] of this.#services) {
      view.forgetAll()
      this.#touch(service)
    }
  }

  #touch(service: string): void {
    this.#dirty.add(service)
    this.#coalescer.schedule()
  }

  #flush(): void {
    if (this.#awaited.size > 0) return
    const { names } = this.#slices
    if (names !== this.#listed) {
      this.#listed = names
      for (const listener of this.#listings) listener(names)
    }
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    for (const service of dirty) {
      const view = this.#services.get(service)
      if (view === undefined) continue
      const parts = { slices: this.#slices.of(service), pods: this.#pods, servicePorts: this.#servicePorts }
      if (view.prepare(parts, SLICES_A_TURN)) this.#report(service, view, parts)
      else {
        this.#dirty.add(service)
        this.#coalescer.again()
      }
    }
  }

  #report(service: string, view: ServiceView, parts: ServiceParts): void {
    if (parts.slices.length === 0) {
      this.#held.update(service, [])
      view.forgetAll()
      view.tellMissing()
      return
    }
    const { endpoints, held } = view.build(parts)
    this.#held.update(service, held)
    // Nothing is known but pods that have not been seen yet: that is no fact about the service, for a while.
    if (view.last === undefined && endpoints.length === 0 && held.length > 0 && !this.#held.overdue(service)) return
    view.tell(endpoints)
  }
}

const HINTS: Record<Resource, string> = {
  endpointslices: ' of API group discovery.k8s.io',
  pods: ", or use laneFrom: 'serviceLabel' with one Service per lane, which needs no pods",
  services: ', or give the option port a name instead of a number',
}
