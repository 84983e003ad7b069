import { LanewayError, runInLane } from '@laneway/core'
import { callListener } from '../connection/call-listener.js'
import type { Connection, ConnectionUser } from '../connection/connection.js'
import { Redo } from '../connection/redo.js'
import type { Session } from '../connection/session.js'
import type { Message } from '../wire/transport.js'
import { type InstanceInput, Registrations } from './registrations.js'
import { DEFAULT_GROUP, parseServiceInfo, type ServiceInfo, sameInstances } from './service-info.js'
import { keyOf, resolveServiceRef, type ServiceRef, whereOf } from './service-ref.js'

/** What {@link NacosNaming.subscribe} reports. */
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
  /** It is asked for again without a push: what is new in the answer was not pushed. */
  rechecking: boolean
}

/** The naming half of a client. */
export class NacosNaming implements ConnectionUser {
  readonly #connection: Connection
  readonly #redo: Redo
  readonly #registrations: Registrations
  readonly #subscriptions = new Map<string, Subscription>()
  #sessions = 0

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#redo = new Redo(connection)
    this.#registrations = new Registrations(connection, this.#redo)
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
    const body = { ...whereOf(this.#ref(ref)), cluster: '', healthyOnly: false, udpPort: 0 }
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
    const where = {
      ...whereOf(this.#ref({ service: 'any', group, ...(namespace !== undefined && { namespace }) })),
      serviceName: '',
    }
    for (let pageNo = 1; pageNo <= 10_000; pageNo++) {
      const body = {
        ...where,
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
   * Follows a service. The listener receives the full list first, then each change; the list of a service without
   * instances is empty. All subscribers of a service share one subscription at the server. What a listener throws is
   * reported to `warn`.
   *
   * @returns stops the subscription; the last one of a service unsubscribes at the server
   * @throws LanewayError `LANEWAY_INVALID_OPTION` for a name that is none
   */
  subscribe(ref: ServiceRef, listener: NamingListener): () => void {
    const full = this.#ref(ref)
    const key = keyOf(full)
    const { warn } = this.#connection.options
    // Two users may pass one listener object; each of them has an own entry.
    const own: NamingListener = {
      info: (info, session) => callListener(warn, () => listener.info(info, session)),
      lost: error => callListener(warn, () => listener.lost(error)),
    }
    let subscription = this.#subscriptions.get(key)
    if (subscription === undefined) {
      subscription = { ref: full, listeners: new Set(), last: undefined, lastSession: 0, rechecking: false }
      this.#subscriptions.set(key, subscription)
      this.#follow(key, subscription)
    } else if (subscription.last !== undefined && subscription.lastSession === this.#sessions) {
      own.info(subscription.last, subscription.lastSession)
    }
    subscription.listeners.add(own)
    this.#connection.start()
    const { lost } = this.#connection
    // Later, so that the caller has what this method returns.
    if (lost !== undefined) {
      const report = () => subscription.listeners.has(own) && own.lost(lost)
      runInLane(undefined, () => queueMicrotask(report))
    }
    const { listeners } = subscription
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return
      if (this.#subscriptions.get(key)?.listeners === listeners) {
        this.#subscriptions.delete(key)
        this.#connection.rechecks.remove(`subscribe ${key}`)
      }
      void this.#redo.drop(`subscribe ${key}`)
    }
  }

  /**
   * Asks for a list again, because calls to an instance fail: the push that took it off may be lost.
   * @internal
   */
  suspect(ref: ServiceRef): void {
    const key = keyOf(this.#ref(ref))
    const subscription = this.#subscriptions.get(key)
    if (subscription !== undefined) this.#recheck(key, subscription)
  }

  /**
   * Registers an instance, again on every new connection, until it is deregistered. Instances of one service share a
   * list at the server, so several may be registered. Resolves when the server has accepted it.
   *
   * @throws LanewayError `LANEWAY_NACOS_REFUSED` or `LANEWAY_AUTH` when the server refuses it: then it is not tried again.
   *   `LANEWAY_INVALID_OPTION`, `LANEWAY_CLOSED`. While no server can be reached it waits
   */
  register(ref: ServiceRef, instance: InstanceInput): Promise<void> {
    return this.#registrations.register(ref, instance)
  }

  /**
   * Deregisters an instance. Resolves when the server has removed it, or the connection has ended. Ignores an unknown one.
   */
  deregister(ref: ServiceRef, address: { ip: string; port: number }): Promise<void> {
    return this.#registrations.deregister(ref, address)
  }

  /**
   * Deregisters and unsubscribes everything; resolves when the server has confirmed it. Never rejects.
   * @internal
   */
  async close(): Promise<void> {
    this.#subscriptions.clear()
    // Subscriptions end with the connection; instances too, but neighbours should not wait for TCP to say so.
    await this.#registrations.deregisterAll()
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
    this.#connection.rechecks.heard()
    // A push that cannot be read is a push that was lost.
    if (info === undefined) {
      this.#connection.rechecks.found()
      return
    }
    // Java servers name the service only inside serviceInfo, and its namespace nowhere: a push goes to every
    // subscription of that name, except when r-nacos says more. Two namespaces with one service on one client are rare
    // enough to ask the server again.
    const named = [...this.#subscriptions].filter(
      ([, { ref }]) =>
        ref.service === info.name &&
        ref.group === info.groupName &&
        (typeof body['namespace'] !== 'string' || body['namespace'] === '' || body['namespace'] === ref.namespace),
    )
    if (named.length === 1) this.#accept(named[0]![1], info, false)
    else for (const [key] of named) this.#redo.touch(`subscribe ${key}`)
  }

  #follow(key: string, subscription: Subscription): void {
    this.#connection.rechecks.add(`subscribe ${key}`, () => this.#recheck(key, subscription))
    const body = { ...whereOf(subscription.ref), clusters: '' }
    this.#redo.want(`subscribe ${key}`, {
      apply: async session => {
        const { rechecking } = subscription
        subscription.rechecking = false
        const answer = await this.#connection.requestOn(session, 'SubscribeServiceRequest', 'naming', {
          ...body,
          subscribe: true,
        })
        if (session === this.#connection.session) this.#accept(subscription, readInfo(answer), rechecking)
      },
      undo: async session => {
        await this.#connection.requestOn(session, 'SubscribeServiceRequest', 'naming', { ...body, subscribe: false })
      },
      failed: error => {
        for (const listener of [...subscription.listeners]) listener.lost(error)
      },
    })
  }

  #recheck(key: string, subscription: Subscription): void {
    subscription.rechecking = true
    this.#redo.touch(`subscribe ${key}`)
  }

  #accept(subscription: Subscription, info: ServiceInfo, rechecked: boolean): void {
    // An older list: a push that overtook the answer to the subscription, or arrived late. The clock of
    // another server may be behind, so that times are compared within one session only.
    const held = subscription.lastSession === this.#sessions ? subscription.last : undefined
    if (held !== undefined && info.lastRefTime < held.lastRefTime) return
    if (rechecked && held !== undefined && !sameInstances(held, info)) this.#connection.rechecks.found()
    subscription.last = info
    subscription.lastSession = this.#sessions
    for (const listener of [...subscription.listeners]) listener.info(info, this.#sessions)
  }

  #ref(ref: ServiceRef): Required<ServiceRef> {
    return resolveServiceRef(ref, this.#connection.options.namespace)
  }
}

function readInfo(answer: Message): ServiceInfo {
  const info = parseServiceInfo(answer.body['serviceInfo'])
  if (info === undefined) throw new LanewayError('LANEWAY_NACOS_REFUSED', `${answer.type} has no service list`)
  return info
}
