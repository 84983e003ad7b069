import type { EndpointInput, Source } from '@laneway/discovery'
import { formatAddress, laneRows, meantKey, RegistryView, type ServiceView } from '@laneway/discovery/internal'
import type { RegisteredInstance } from '../readers/reader.js'
import type { Cell, InstanceView, Registry, Row, ServiceDetails } from '../wire.js'
import type { Hub } from './hub.js'

/** How often the console asks the registries whether they are connected; they push everything else. */
const LOOK_MS = 1000
/** Instances of one answer: more than that nobody reads. */
const MAX_INSTANCES = 500

/** Follows the registries and gives the hub a row for each service. */
export class Matrix {
  readonly #sources: readonly Source[]
  readonly #hub: Hub
  readonly #view: RegistryView
  readonly #timer: NodeJS.Timeout

  constructor(sources: readonly Source[], hub: Hub) {
    this.#sources = sources
    this.#hub = hub
    this.#view = new RegistryView(sources, service => {
      if (service === undefined) for (const name of this.#view.services.keys()) this.#show(name)
      else this.#show(service)
    })
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
    this.#view.followAll()
    this.#look()
  }

  details(service: string): ServiceDetails {
    const endpoints = this.#view.services.get(service)?.endpoints ?? []
    const instances = endpoints.slice(0, MAX_INSTANCES).map(instanceView)
    return { service, instances, more: endpoints.length - instances.length }
  }

  *instances(): Iterable<RegisteredInstance> {
    for (const { service, endpoints = [] } of this.#view.services.values()) {
      for (const { host, port } of endpoints) yield { service, host, port }
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#view.close()
  }

  #show(service: string): void {
    const view = this.#view.services.get(service)
    if (view === undefined) return
    // A service that was removed is gone; one without instances that is still listed stays.
    const gone = (view.endpoints ?? []).length === 0 && !this.#view.isListed(service)
    this.#hub.setRow(service, gone ? undefined : rowOf(view))
  }

  #look(): void {
    const lost = new Map(this.#view.lost.map(({ source, error }) => [source, error]))
    this.#hub.set(
      'registries',
      this.#sources.map((source): Registry => {
        const { name, where = '' } = source
        if (!lost.has(source)) return { name, where, connected: true }
        const error = lost.get(source)
        return error === undefined ? { name, where } : { name, where, connected: false, error: error.message }
      }),
    )
  }
}

function rowOf(view: ServiceView): Row {
  const { service, source, endpoints, missing, error, changedAt } = view
  const cells: Record<string, Cell> = Object.create(null)
  for (const { lane, instances, healthy, weight, versions } of laneRows([view], changedAt)) {
    cells[lane] = { instances, healthy, weight, versions: versions.slice(0, 3) }
  }
  const state = missing ? 'missing' : endpoints === undefined ? 'waiting' : error !== undefined ? 'stale' : 'ok'
  const nearMisses = (endpoints ?? []).filter(isNearMiss).length
  return { service, source, state, ...(error !== undefined && { error: error.message }), changedAt, cells, nearMisses }
}

function isNearMiss({ tags = [], metadata = {} }: EndpointInput): boolean {
  return tags.length === 0 && Object.keys(metadata).some(key => meantKey(key) !== undefined)
}

function instanceView({ host, port, tags = [], weight = 1, health = 'unknown', ...more }: EndpointInput): InstanceView {
  const { enabled = true, zone, registeredAt, metadata = {} } = more
  const lanes = [...new Set(tags)].filter(tag => tag !== 'base' && tag !== '')
  return {
    address: formatAddress(host, port),
    lanes: lanes.length === 0 ? ['base'] : lanes,
    weight,
    health: enabled ? health : 'disabled',
    ...(zone !== undefined && { zone }),
    ...(registeredAt !== undefined && { registeredAt }),
    metadata: Object.entries(metadata).map(([key, value]) => {
      const meant = tags.length === 0 ? meantKey(key) : undefined
      return { key, value: String(value), ...(meant !== undefined && { meant }) }
    }),
  }
}
