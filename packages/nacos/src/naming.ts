import { assertKnownKeys, describe, LanewayError } from '@laneway/core'
import type { Connection, ConnectionUser } from './connection.js'
import { Redo } from './redo.js'
import { DEFAULT_GROUP, parseServiceInfo, type ServiceInfo } from './service-info.js'
import type { Session } from './session.js'
import type { Message } from './transport.js'

/** Names one service. */
export interface ServiceRef {
  service: string
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default the client's namespace */
  namespace?: string
}

/** An instance to register. Ephemeral: it lives as long as the connection that registered it. */
export interface InstanceInput {
  /** IP literal or host name that other services reach. */
  ip: string
  port: number
  /** @default 1 */
  weight?: number
  /** @default true */
  healthy?: boolean
  /** @default true */
  enabled?: boolean
  /** @default 'DEFAULT' */
  cluster?: string
  /** @default {} */
  metadata?: Readonly<Record<string, string>>
}

/** What {@link NacosNaming.subscribe} tells. */
export interface NamingListener {
  /** The full list, first and after each change. `session` grows with each connection to a server. */
  info(info: ServiceInfo, session: number): void
  /** The list is not kept up to date at the moment; `info` follows when it is again. May be called repeatedly. */
  lost(error: LanewayError): void
}

interface Subscription {
  readonly ref: Required<ServiceRef>
  readonly listeners: Set<NamingListener>
  last: ServiceInfo | undefined
  lastSession: number
}

interface Registered {
  readonly ref: Required<ServiceRef>
  /** Address to instance. One connection holds one list of instances per service. */
  readonly instances: Map<string, InstanceInput>
  /** What this session was told: addresses, for servers that only add. */
  told: { session: Session; addresses: Set<string> } | undefined
  waiting: { resolve: () => void; reject: (error: LanewayError) => void }[]
}

/** Asking again for what is subscribed, in case a push was lost on the way to this connection. */
const RESYNC_MS = 60_000

/** The naming half of a client. */
export class NacosNaming implements ConnectionUser {
  readonly #connection: Connection
  readonly #redo: Redo
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #registered = new Map<string, Registered>()
  #sessions = 0
  #resync: NodeJS.Timeout | undefined

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#redo = new Redo(connection)
    connection.use(this)
  }

  /** Address of this process as the server sees it, while connected. */
  get localAddress(): string | undefined {
    return this.#connection.session?.localAddress
  }

  /**
   * The instances of a service, asked of the server. It lags a change by half a second.
   *
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE`, `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`
   */
  async query(ref: ServiceRef): Promise<ServiceInfo> {
    const body = { ...this.#where(this.#ref(ref)), cluster: '', healthyOnly: false, udpPort: 0 }
    const answer = await this.#connection.request('ServiceQueryRequest', 'naming', body)
    return readInfo(answer)
  }

  /**
   * Names of all services of a group that have or had instances.
   *
   * @throws LanewayError as {@link query}
   */
  async list({ group = DEFAULT_GROUP, namespace }: { group?: string; namespace?: string } = {}): Promise<string[]> {
    const names = new Set<string>()
    for (let pageNo = 1; pageNo <= 10_000; pageNo++) {
      const body = {
        ...this.#where({ service: '', group, ...(namespace !== undefined && { namespace }) }),
        pageNo,
        pageSize: 500,
        selector: '',
      }
      const answer = await this.#connection.request('ServiceListRequest', 'naming', body)
      const page = answer.body['serviceNames']
      if (!Array.isArray(page) || page.length === 0) break
      for (const name of page) names.add(String(name).replace(/^.*@@/, ''))
      if (page.length < 500 || names.size >= Number(answer.body['count'])) break
    }
    return [...names]
  }

  /**
   * Follows a service. The listener hears the full list first, then each change; of a service that has none it hears
   * an empty list. Subscribers of one service share one subscription at the server. Never throws.
   *
   * @returns ends it; the last one really unsubscribes
   */
  subscribe(ref: ServiceRef, listener: NamingListener): () => void {
    const full = this.#ref(ref)
    const key = keyOf(full)
    let subscription = this.#subscriptions.get(key)
    if (subscription === undefined) {
      subscription = { ref: full, listeners: new Set(), last: undefined, lastSession: 0 }
      this.#subscriptions.set(key, subscription)
      this.#follow(key, subscription)
    } else if (subscription.last !== undefined && subscription.lastSession === this.#sessions) {
      listener.info(subscription.last, subscription.lastSession)
    }
    // Two users may pass one listener object; each of them has an own entry.
    const own: NamingListener = { info: (...args) => listener.info(...args), lost: error => listener.lost(error) }
    subscription.listeners.add(own)
    this.#connection.start()
    this.#resync ??= setInterval(() => this.#resyncAll(), RESYNC_MS).unref()
    const { listeners } = subscription
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return
      if (this.#subscriptions.get(key)?.listeners === listeners) this.#subscriptions.delete(key)
      void this.#redo.drop(`subscribe ${key}`)
    }
  }

  /**
   * Registers an instance, again on every new connection, until it is deregistered. Instances of one service share a
   * list at the server, so several may be registered. Resolves when the server has taken it.
   *
   * @throws LanewayError `LANEWAY_NACOS_REFUSED` or `LANEWAY_AUTH` when the server refuses it: then it is not tried again.
   *   `LANEWAY_INVALID_OPTION`, `LANEWAY_CLOSED`. While no server can be reached it waits
   */
  async register(ref: ServiceRef, instance: InstanceInput): Promise<void> {
    const full = this.#ref(ref)
    const checked = checkInstance(instance)
    if (this.#connection.closed) throw new LanewayError('LANEWAY_CLOSED', 'the Nacos client is closed')
    const key = keyOf(full)
    let entry = this.#registered.get(key)
    if (entry === undefined) {
      entry = { ref: full, instances: new Map(), told: undefined, waiting: [] }
      this.#registered.set(key, entry)
    }
    const made = entry
    const address = `${checked.ip}#${checked.port}`
    const before = made.instances.get(address)
    made.instances.set(address, checked)
    const done = new Promise<void>((resolve, reject) => {
      made.waiting.push({
        resolve,
        reject: error => {
          if (made.instances.get(address) === checked) {
            if (before === undefined) made.instances.delete(address)
            else made.instances.set(address, before)
          }
          reject(error)
        },
      })
    })
    this.#keepRegistered(key, made)
    this.#connection.start()
    await done
  }

  /**
   * Takes an instance out. Resolves when it is gone from the server, or the connection is. Unknown ones are ignored.
   */
  async deregister(ref: ServiceRef, { ip, port }: { ip: string; port: number }): Promise<void> {
    const key = keyOf(this.#ref(ref))
    const entry = this.#registered.get(key)
    if (entry === undefined || !entry.instances.delete(`${ip}#${port}`)) return
    if (entry.instances.size === 0) {
      this.#registered.delete(key)
      await this.#redo.drop(`register ${key}`)
      return
    }
    await new Promise<void>(resolve => {
      entry.waiting.push({ resolve, reject: () => resolve() })
      this.#redo.touch(`register ${key}`)
    })
  }

  /** Deregisters and unsubscribes everything; resolves when the server has been told. Never rejects. */
  async leave(): Promise<void> {
    clearInterval(this.#resync)
    this.#subscriptions.clear()
    const keys = [...this.#registered.keys()]
    this.#registered.clear()
    // Subscriptions end with the connection; instances too, but neighbours should not wait for TCP to say so.
    await Promise.all(keys.map(key => this.#redo.drop(`register ${key}`)))
    this.#redo.clear()
  }

  /** @internal */
  async up(_session: Session): Promise<void> {
    this.#sessions++
    await this.#redo.up()
  }

  /** @internal */
  down(error: LanewayError): void {
    for (const { listeners } of this.#subscriptions.values())
      for (const listener of [...listeners]) listener.lost(error)
  }

  /** @internal */
  push({ type, body }: Message): void {
    if (type !== 'NotifySubscriberRequest') return
    const info = parseServiceInfo(body['serviceInfo'])
    if (info === undefined) return
    // Java servers name the service only inside serviceInfo, and its namespace nowhere: a push goes to every
    // subscription of that name, except when r-nacos says more. Two namespaces with one service on one client are rare
    // enough to ask the server again instead of guessing.
    const named = [...this.#subscriptions].filter(
      ([, { ref }]) =>
        ref.service === info.name &&
        ref.group === info.groupName &&
        (typeof body['namespace'] !== 'string' || body['namespace'] === '' || body['namespace'] === ref.namespace),
    )
    if (named.length === 1) this.#accept(named[0]![1], info)
    else for (const [key] of named) this.#redo.touch(`subscribe ${key}`)
  }

  #follow(key: string, subscription: Subscription): void {
    const body = { ...this.#where(subscription.ref), clusters: '' }
    this.#redo.want(`subscribe ${key}`, {
      apply: async session => {
        const answer = await this.#connection.requestOn(session, 'SubscribeServiceRequest', 'naming', {
          ...body,
          subscribe: true,
        })
        if (session === this.#connection.session) this.#accept(subscription, readInfo(answer))
      },
      undo: async session => {
        await this.#connection.requestOn(session, 'SubscribeServiceRequest', 'naming', { ...body, subscribe: false })
      },
      failed: error => {
        for (const listener of [...subscription.listeners]) listener.lost(error)
      },
    })
  }

  #accept(subscription: Subscription, info: ServiceInfo): void {
    // Older than what is held: a push that overtook the answer to the subscription, or arrived late. The clock of
    // another server may be behind, so that times are compared within one session only.
    const held = subscription.lastSession === this.#sessions ? subscription.last : undefined
    if (held !== undefined && info.lastRefTime < held.lastRefTime) return
    subscription.last = info
    subscription.lastSession = this.#sessions
    for (const listener of [...subscription.listeners]) listener.info(info, this.#sessions)
  }

  #resyncAll(): void {
    for (const key of this.#subscriptions.keys()) this.#redo.touch(`subscribe ${key}`)
  }

  #keepRegistered(key: string, entry: Registered): void {
    this.#redo.want(`register ${key}`, {
      apply: async session => {
        const { waiting } = entry
        entry.waiting = []
        try {
          await this.#tell(session, entry)
        } catch (error) {
          const { code } = error as LanewayError
          if (code === 'LANEWAY_NACOS_REFUSED' || code === 'LANEWAY_AUTH') {
            // The caller hears it now. What the server took earlier it may refuse after a restart; that is tried on.
            for (const { reject } of waiting) reject(error as LanewayError)
            if (entry.instances.size === 0 && this.#registered.get(key) === entry) {
              this.#registered.delete(key)
              void this.#redo.drop(`register ${key}`)
              return
            }
          } else {
            entry.waiting.unshift(...waiting)
          }
          throw error
        }
        for (const { resolve } of waiting) resolve()
      },
      undo: async session => {
        const addresses = entry.told?.session === session ? [...entry.told.addresses] : []
        // A Java server takes out whatever this connection registered for the service, whichever address is named.
        for (const address of session.addsInstances ? addresses : addresses.slice(0, 1))
          await this.#remove(session, entry, address)
        for (const { reject } of entry.waiting.splice(0))
          reject(new LanewayError('LANEWAY_CLOSED', 'deregistered meanwhile'))
      },
      failed: error =>
        this.#connection.options.warn(`registration of ${entry.ref.service} failed, trying on: ${error.message}`),
    })
  }

  async #tell(session: Session, entry: Registered): Promise<void> {
    if (entry.told?.session !== session) entry.told = { session, addresses: new Set() }
    const { addresses } = entry.told
    const instances = [...entry.instances.values()].map(instance => ({
      ...wire(instance),
      serviceName: entry.ref.service,
    }))
    const wanted = new Set(entry.instances.keys())
    for (const address of wanted) addresses.add(address)
    const where = this.#where(entry.ref)
    if (session.addsInstances) {
      for (const address of [...addresses]) if (!wanted.has(address)) await this.#remove(session, entry, address)
    }
    if (instances.length === 1 && (addresses.size === 1 || session.addsInstances)) {
      const body = { ...where, type: 'registerInstance', instance: instances[0]! }
      await this.#connection.requestOn(session, 'InstanceRequest', 'naming', body)
    } else {
      // On Java servers a batch is the whole list of this connection for the service: what it leaves out is gone.
      const body = { ...where, type: 'batchRegisterInstance', instances }
      await this.#connection.requestOn(session, 'BatchInstanceRequest', 'naming', body)
    }
    for (const address of [...addresses]) if (!wanted.has(address)) addresses.delete(address)
  }

  async #remove(session: Session, entry: Registered, address: string): Promise<void> {
    const at = address.lastIndexOf('#')
    const instance = {
      ...wire({ ip: address.slice(0, at), port: Number(address.slice(at + 1)) }),
      serviceName: entry.ref.service,
    }
    const body = { ...this.#where(entry.ref), type: 'deregisterInstance', instance }
    await this.#connection.requestOn(session, 'InstanceRequest', 'naming', body)
    entry.told?.addresses.delete(address)
  }

  #ref(ref: ServiceRef): Required<ServiceRef> {
    assertKnownKeys('a Nacos service', ref, ['service', 'group', 'namespace'])
    const { service, group = DEFAULT_GROUP, namespace = this.#connection.options.namespace } = ref
    if (typeof service !== 'string' || service === '' || service.includes('@@')) {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `${describe(service)} is no Nacos service name; the group is a field of its own`,
      )
    }
    // Java servers refuse a blank group, and keep "" apart from "public".
    return { service, group: group === '' ? DEFAULT_GROUP : group, namespace: namespace === '' ? 'public' : namespace }
  }

  #where(ref: ServiceRef): { namespace: string; serviceName: string; groupName: string } {
    const namespace = ref.namespace ?? this.#connection.options.namespace
    return {
      // Never "": that is another namespace than "public" on Java servers.
      namespace: namespace === '' ? 'public' : namespace,
      serviceName: ref.service,
      groupName: ref.group ?? DEFAULT_GROUP,
    }
  }
}

function keyOf(ref: Required<ServiceRef>): string {
  return `${ref.namespace}@@${ref.group}@@${ref.service}`
}

function readInfo(answer: Message): ServiceInfo {
  const info = parseServiceInfo(answer.body['serviceInfo'])
  if (info === undefined) throw new LanewayError('LANEWAY_NACOS_REFUSED', `${answer.type} has no service list`)
  return info
}

/** All fields, because r-nacos refuses an instance without weight. */
function wire(instance: InstanceInput): Record<string, unknown> {
  return {
    ip: instance.ip,
    port: instance.port,
    weight: instance.weight ?? 1,
    healthy: instance.healthy ?? true,
    enabled: instance.enabled ?? true,
    ephemeral: true,
    clusterName: instance.cluster ?? 'DEFAULT',
    metadata: instance.metadata ?? {},
  }
}

function checkInstance(instance: InstanceInput): InstanceInput {
  assertKnownKeys('a Nacos instance', instance, ['ip', 'port', 'weight', 'healthy', 'enabled', 'cluster', 'metadata'])
  const { ip, port, weight = 1, metadata = {} } = instance
  if (typeof ip !== 'string' || ip === '')
    throw new LanewayError('LANEWAY_INVALID_OPTION', `ip must be an address, received ${describe(ip)}`)
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `port must be 1 to 65535, received ${describe(port)}`)
  }
  // Nacos' own range.
  if (!(weight >= 0 && weight <= 10_000)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `weight must be 0 to 10000, received ${describe(weight)}`)
  }
  return Object.freeze({ ...instance, metadata: Object.freeze({ ...metadata }) })
}
