import type { SourceConnection, SourceListener } from '@laneway/discovery'
import { createLabels } from '../objects/label-sets.js'
import { type Pod, readPod } from '../objects/pod.js'
import { readServicePorts, type ServicePorts } from '../objects/service-ports.js'
import { readSlice, type Slice } from '../objects/slice.js'
import type { ResolvedKubernetesSourceOptions } from '../options.js'
import type { ApiClient } from '../watch/api-client.js'
import { AskedServices, both, sliceSelector } from './asked-services.js'
import { createCoalescer } from './coalesce.js'
import { Collections, type Resource } from './collections.js'
import { createHeldBack } from './held-back.js'
import { type PodScope, ServiceSelectors } from './service-selectors.js'
import { type ServiceParts, ServiceView } from './service-view.js'
import { SliceIndex } from './slice-index.js'

/** About 1,000 endpoints joined in one turn of the loop, a millisecond. */
const SLICES_A_TURN = 10

/** The collections of one namespace that the source follows, and the services that were asked for. */
export class NamespaceView {
  readonly #namespace: string
  readonly #options: ResolvedKubernetesSourceOptions
  readonly #collections: Collections
  readonly #selectors: ServiceSelectors
  readonly #asked: AskedServices
  readonly #labels
  readonly #slices: SliceIndex
  readonly #services = new Map<string, ServiceView>()
  readonly #listings = new Set<(services: ReadonlySet<string>) => void>()
  readonly #dirty = new Set<string>()
  readonly #coalescer
  readonly #held
  #selecting: NodeJS.Immediate | undefined
  #pods: Map<string, Pod> | undefined
  #servicePorts: Map<string, ServicePorts> | undefined
  #serviceNames = new Map<string, string>()
  #listed: ReadonlySet<string> | undefined

  constructor(
    namespace: string,
    client: ApiClient,
    options: ResolvedKubernetesSourceOptions,
    server: { streamsLists: boolean },
  ) {
    this.#namespace = namespace
    this.#options = options
    this.#labels = createLabels(options.tagLabels)
    const perLane = options.laneFrom === 'serviceLabel'
    // The Services of the lanes have other names.
    this.#asked = new AskedServices(perLane ? 0 : options.narrowUpTo)
    this.#slices = new SliceIndex(perLane)
    this.#coalescer = createCoalescer(() => this.#flush(), options.coalesceMs)
    this.#held = createHeldBack(namespace, options.reportHeldAfterMs, options.warn, service => this.#touch(service))
    const needsPorts = typeof options.port === 'number' || [...options.ports.values()].some(isNumber)
    const resources: Resource[] = ['endpointslices', ...(perLane ? [] : ['pods' as const])]
    if (needsPorts) resources.push('services')
    this.#collections = new Collections(namespace, client, options, server, resources, {
      usable: () => {
        for (const service of this.#services.keys()) this.#touch(service)
        this.#coalescer.schedule()
      },
      lost: error => {
        for (const view of this.#services.values()) for (const listener of view.listeners) listener.stale(error)
      },
    })
    this.#selectors = new ServiceSelectors(namespace, client, options, scope => this.#followPods(scope))
    if (needsPorts) this.#followServices()
    this.#select()
  }

  /** Settles when everything was listed once; rejects when the API server refuses a right. */
  ready(): Promise<void> {
    return this.#collections.ready()
  }

  /** Whether the collections are being followed; `undefined` before all of them were listed once. */
  get connection(): SourceConnection | undefined {
    return this.#collections.connection
  }

  subscribe(service: string, listener: SourceListener): () => void {
    const view = this.#services.get(service) ?? this.#addService(service)
    view.listeners.add(listener)
    if (this.#asked.add(service)) this.#select()
    const { error } = this.#collections
    if (view.last !== undefined) listener.snapshot(view.last)
    else if (this.#collections.know(service) && this.#slices.of(service).length === 0) listener.missing()
    else this.#touch(service)
    if (error !== undefined) listener.stale(error)
    return () => {
      view.listeners.delete(listener)
      if (view.listeners.size > 0) return
      this.#services.delete(service)
      this.#held.update(service, [])
      this.#selectors.hold(service, [])
    }
  }

  /** Follows every slice of the namespace from then on. */
  list(listener: (services: ReadonlySet<string>) => void): () => void {
    this.#listings.add(listener)
    if (this.#listed !== undefined && this.#collections.knowAllNames) listener(this.#listed)
    else this.#select()
    return () => this.#listings.delete(listener)
  }

  async close(): Promise<void> {
    clearImmediate(this.#selecting)
    this.#coalescer.close()
    this.#held.close()
    this.#selectors.close()
    this.#services.clear()
    this.#listings.clear()
    await this.#collections.close()
  }

  /** In the next turn of the loop, so that services that are asked for together are listed together. */
  #select(): void {
    this.#selecting ??= setImmediate(() => {
      this.#selecting = undefined
      this.#followSlices(this.#listings.size > 0 ? undefined : this.#asked.names)
      if (this.#options.laneFrom === 'podLabels') this.#selectors.want(this.#asked.names)
    })
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

  #followSlices(services: ReadonlySet<string> | undefined): void {
    const selection = { labelSelector: sliceSelector(services, this.#options.sliceSelector), services }
    this.#collections.follow<Slice>('endpointslices', selection, false, {
      read: object => readSlice(object, this.#labels),
      replaced: slices => this.#slices.replace(slices, service => this.#touch(service)),
      changed: (uid, slice) => this.#slices.set(uid, slice, service => this.#touch(service)),
    })
  }

  #followPods({ labelSelector, services }: PodScope): void {
    const selection = { labelSelector: both(labelSelector, this.#options.podSelector), services }
    this.#collections.follow<Pod>('pods', selection, true, {
      read: object => readPod(object, this.#labels),
      replaced: pods => {
        this.#pods = pods
        this.#forgetAll()
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

  #followServices(): void {
    const names = this.#serviceNames
    const selection = { labelSelector: undefined, services: undefined }
    this.#collections.follow<{ name: string; ports: ServicePorts }>('services', selection, false, {
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
    const { names } = this.#slices
    if (names !== this.#listed && this.#collections.knowAllNames) {
      this.#listed = names
      for (const listener of this.#listings) listener(names)
    }
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    let left = SLICES_A_TURN
    for (const service of dirty) {
      const view = this.#services.get(service)
      if (view === undefined || !this.#collections.know(service)) continue
      const parts = { slices: this.#slices.of(service), pods: this.#pods, servicePorts: this.#servicePorts }
      if (left > 0 && view.prepare(parts, SLICES_A_TURN)) this.#report(service, view, parts)
      else this.#dirty.add(service)
      left -= parts.slices.length
    }
    if (this.#dirty.size > 0) this.#coalescer.again()
  }

  #report(service: string, view: ServiceView, parts: ServiceParts): void {
    if (parts.slices.length === 0) {
      this.#held.update(service, [])
      this.#selectors.hold(service, [])
      view.forgetAll()
      view.reportMissing()
      return
    }
    const { endpoints, held } = view.build(parts)
    this.#held.update(service, held)
    this.#selectors.hold(service, held)
    // All endpoints still wait for their pods, so nothing is reported.
    if (view.last === undefined && endpoints.length === 0 && held.length > 0 && !this.#held.overdue(service)) return
    view.report(endpoints)
  }
}

const isNumber = (port: string | number) => typeof port === 'number'
