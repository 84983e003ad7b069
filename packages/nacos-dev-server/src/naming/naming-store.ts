import type { Dialect } from '../dialect.js'
import { type Host, type Instance, type InstanceOverride, type ServiceName, toHost } from './instance.js'

/** The list of a service as queries, subscriptions and pushes carry it. */
export interface ServiceInfo {
  /** Undefined when the request named no service. */
  readonly name: string | undefined
  readonly groupName: string
  readonly clusters: string
  readonly cacheMillis: number
  readonly hosts: readonly Host[]
  readonly lastRefTime: number
  readonly checksum: string
  readonly reachProtectionThreshold: boolean
  readonly valid: boolean
  readonly [listFlag: string]: unknown
}

interface Service {
  readonly name: ServiceName
  /** What each connection published; a connection has one list per service. */
  readonly published: Map<string, readonly Instance[]>
  readonly persistent: Map<string, Instance>
  readonly subscribers: Set<string>
  readonly overrides: Map<string, InstanceOverride>
  protectThreshold: number
  /** Persistent or ephemeral, settled by the first registration. */
  ephemeral: boolean | undefined
}

/** Services, their instances and their subscribers, by connection id. Holds no timers and sends nothing. */
export class NamingStore {
  readonly #services = new Map<string, Service>()
  #lastRefTime = 0

  constructor(
    private readonly dialect: Dialect,
    private readonly now: () => number,
  ) {}

  /** Replaces what a connection publishes for a service; an empty list removes it. Says whether anything changed. */
  publish(connectionId: string, name: ServiceName, instances: readonly Instance[]): boolean {
    const service = this.#open(name)
    service.ephemeral ??= true
    if (instances.length > 0) service.published.set(connectionId, instances)
    else return service.published.delete(connectionId)
    return true
  }

  /** Removes whatever a connection published for a service. Says whether there was anything. */
  unpublish(connectionId: string, name: ServiceName): boolean {
    return this.#services.get(keyOf(name))?.published.delete(connectionId) ?? false
  }

  /** Adds or removes an instance that outlives its connection. Says whether anything changed. */
  setPersistent(name: ServiceName, instance: Instance, present: boolean): boolean {
    const service = this.#open(name)
    service.ephemeral ??= false
    const key = addressOf(instance)
    if (!present) return service.persistent.delete(key)
    service.persistent.set(key, instance)
    return true
  }

  /** Whether the first registration of the service settled it as persistent. */
  isPersistent(name: ServiceName): boolean {
    return this.#services.get(keyOf(name))?.ephemeral === false
  }

  subscribe(connectionId: string, name: ServiceName): void {
    this.#open(name).subscribers.add(connectionId)
  }

  unsubscribe(connectionId: string, name: ServiceName): void {
    this.#services.get(keyOf(name))?.subscribers.delete(connectionId)
  }

  subscribersOf(name: ServiceName): readonly string[] {
    return [...(this.#services.get(keyOf(name))?.subscribers ?? [])]
  }

  /** Forgets a connection. Returns the services whose lists changed by it. */
  dropConnection(connectionId: string): readonly ServiceName[] {
    const changed: ServiceName[] = []
    for (const service of this.#services.values()) {
      service.subscribers.delete(connectionId)
      if (service.published.delete(connectionId)) changed.push(service.name)
    }
    return changed
  }

  /** An operator's edit: kept by address and laid over whatever is or will be registered there. */
  override(name: ServiceName, address: Pick<Instance, 'ip' | 'port' | 'clusterName'>, edit: InstanceOverride): void {
    const { overrides } = this.#open(name)
    const key = addressOf(address)
    overrides.set(key, { ...overrides.get(key), ...edit })
  }

  /** Sets the share of healthy instances at or below which all are declared healthy. */
  setProtectThreshold(name: ServiceName, threshold: number): void {
    this.#open(name).protectThreshold = threshold
  }

  /** The instances of a service, disabled ones included; two equal ones from two connections are one. */
  instancesOf(name: ServiceName): readonly Instance[] {
    const service = this.#services.get(keyOf(name))
    if (service === undefined) return []
    const distinct = new Map<string, Instance>()
    for (const list of [...service.published.values(), service.persistent.values()]) {
      for (const instance of list) {
        const override = service.overrides.get(addressOf(instance))
        // An operator's metadata is merged key by key: keys that only the client sends stay.
        const edited =
          override === undefined
            ? instance
            : { ...instance, ...override, metadata: { ...instance.metadata, ...override.metadata } }
        distinct.set(JSON.stringify({ ...edited, metadata: Object.entries(edited.metadata).sort() }), edited)
      }
    }
    return [...distinct.values()]
  }

  /** The list as clients get it: without disabled instances, and with the protection threshold applied. */
  serviceInfo(name: ServiceName, select: { cluster?: string; healthyOnly?: boolean } = {}): ServiceInfo {
    const clusters = (select.cluster ?? '').split(',').filter(cluster => cluster !== '')
    let instances = this.instancesOf(name).filter(
      instance => instance.enabled && (clusters.length === 0 || clusters.includes(instance.clusterName)),
    )
    const healthy = instances.filter(instance => instance.healthy)
    let isProtected = false
    if (select.healthyOnly === true) {
      instances = healthy
    } else if (instances.length > 0) {
      const threshold = this.#services.get(keyOf(name))?.protectThreshold ?? 0
      isProtected = healthy.length / instances.length <= threshold
      if (isProtected) instances = instances.map(instance => ({ ...instance, healthy: true }))
    }
    this.#lastRefTime = Math.max(this.#lastRefTime, this.now())
    return {
      name: name.service === '' ? undefined : name.service,
      groupName: name.group,
      clusters: clusters.join(','),
      cacheMillis: 10_000,
      hosts: instances.map(instance => toHost(instance, name)),
      lastRefTime: this.#lastRefTime,
      checksum: '',
      [this.dialect.listFlag]: false,
      reachProtectionThreshold: isProtected,
      valid: true,
    }
  }

  /** The services that have instances, in the order in which they appeared. */
  servicesIn(namespace: string, group: string | undefined): readonly ServiceName[] {
    const found: ServiceName[] = []
    for (const { name, published, persistent } of this.#services.values()) {
      if (name.namespace !== namespace || (group !== undefined && name.group !== group)) continue
      if (published.size > 0 || persistent.size > 0) found.push(name)
    }
    return found
  }

  /** Every service that anyone registered, subscribed or edited. */
  allServices(): readonly ServiceName[] {
    return [...this.#services.values()].map(service => service.name)
  }

  /** Which connection published what; persistent instances have none. */
  publications(): readonly { name: ServiceName; connectionId: string | undefined; instance: Instance }[] {
    return [...this.#services.values()].flatMap(({ name, published, persistent }) => [
      ...[...published].flatMap(([connectionId, list]) => list.map(instance => ({ name, connectionId, instance }))),
      ...[...persistent.values()].map(instance => ({ name, connectionId: undefined, instance })),
    ])
  }

  clear(): void {
    this.#services.clear()
  }

  #open(name: ServiceName): Service {
    const key = keyOf(name)
    let service = this.#services.get(key)
    if (service === undefined) {
      service = {
        name,
        published: new Map(),
        persistent: new Map(),
        subscribers: new Set(),
        overrides: new Map(),
        protectThreshold: 0,
        ephemeral: undefined,
      }
      this.#services.set(key, service)
    }
    return service
  }
}

/** One string per service; the parts cannot contain the separator, JSON's escapes see to that. */
export function keyOf(name: ServiceName): string {
  return JSON.stringify([name.namespace, name.group, name.service])
}

function addressOf(instance: Pick<Instance, 'ip' | 'port' | 'clusterName'>): string {
  return `${instance.ip}:${instance.port}:${instance.clusterName}`
}
