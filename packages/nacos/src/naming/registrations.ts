import { LanewayError } from '@laneway/core'
import { assertKnownKeys, describe } from '@laneway/core/internal'
import type { Connection } from '../connection/connection.js'
import type { Redo } from '../connection/redo.js'
import type { Session } from '../connection/session.js'
import { keyOf, resolveServiceRef, type ServiceRef, whereOf } from './service-ref.js'

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

interface Registered {
  readonly ref: Required<ServiceRef>
  /** Address to instance. One connection holds one list of instances per service. */
  readonly instances: Map<string, InstanceInput>
  /** The addresses that this session has sent, for servers that only add. */
  sent: { session: Session; addresses: Set<string> } | undefined
  waiting: { resolve: () => void; reject: (error: LanewayError) => void }[]
}

/** The instances that this client has registered. They are registered again in every session. */
export class Registrations {
  readonly #connection: Connection
  readonly #redo: Redo
  readonly #registered = new Map<string, Registered>()

  constructor(connection: Connection, redo: Redo) {
    this.#connection = connection
    this.#redo = redo
  }

  /** See `NacosNaming.register`. */
  async register(ref: ServiceRef, instance: InstanceInput): Promise<void> {
    const full = resolveServiceRef(ref, this.#connection.options.namespace)
    const checked = checkInstance(instance)
    if (this.#connection.closed) throw new LanewayError('LANEWAY_CLOSED', 'the Nacos client is closed')
    const key = keyOf(full)
    let entry = this.#registered.get(key)
    if (entry === undefined) {
      entry = { ref: full, instances: new Map(), sent: undefined, waiting: [] }
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

  /** See `NacosNaming.deregister`. */
  async deregister(ref: ServiceRef, { ip, port }: { ip: string; port: number }): Promise<void> {
    const key = keyOf(resolveServiceRef(ref, this.#connection.options.namespace))
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

  /** Resolves when the server has confirmed all of them. Never rejects. */
  async deregisterAll(): Promise<void> {
    const keys = [...this.#registered.keys()]
    this.#registered.clear()
    await Promise.all(keys.map(key => this.#redo.drop(`register ${key}`)))
  }

  #keepRegistered(key: string, entry: Registered): void {
    this.#redo.want(`register ${key}`, {
      apply: async session => {
        const { waiting } = entry
        entry.waiting = []
        try {
          await this.#send(session, entry)
        } catch (error) {
          const { code } = error as LanewayError
          if (code === 'LANEWAY_NACOS_REFUSED' || code === 'LANEWAY_AUTH') {
            // The caller hears it now. After a restart the server may refuse what it accepted before; that is tried again.
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
        const addresses = entry.sent?.session === session ? [...entry.sent.addresses] : []
        // A Java server removes all that this connection registered for the service, whichever address is named.
        for (const address of session.addsInstances ? addresses : addresses.slice(0, 1))
          await this.#remove(session, entry, address)
        for (const { reject } of entry.waiting.splice(0))
          reject(new LanewayError('LANEWAY_CLOSED', 'deregistered meanwhile'))
      },
      failed: error =>
        this.#connection.options.warn(`registration of ${entry.ref.service} failed, trying again: ${error.message}`),
    })
  }

  async #send(session: Session, entry: Registered): Promise<void> {
    if (entry.sent?.session !== session) entry.sent = { session, addresses: new Set() }
    const { addresses } = entry.sent
    const instances = [...entry.instances.values()].map(instance => ({
      ...wire(instance, entry.ref),
      serviceName: entry.ref.service,
    }))
    const wanted = new Set(entry.instances.keys())
    for (const address of wanted) addresses.add(address)
    const where = whereOf(entry.ref)
    if (session.addsInstances) {
      for (const address of [...addresses]) if (!wanted.has(address)) await this.#remove(session, entry, address)
    }
    if (instances.length === 1 && (addresses.size === 1 || session.addsInstances)) {
      const body = { ...where, type: 'registerInstance', instance: instances[0]! }
      await this.#connection.requestOn(session, 'InstanceRequest', 'naming', body)
    } else {
      // On Java servers a batch is the whole list of this connection for the service: an instance that is not in it is removed.
      const body = { ...where, type: 'batchRegisterInstance', instances }
      await this.#connection.requestOn(session, 'BatchInstanceRequest', 'naming', body)
    }
    for (const address of [...addresses]) if (!wanted.has(address)) addresses.delete(address)
  }

  async #remove(session: Session, entry: Registered, address: string): Promise<void> {
    const at = address.lastIndexOf('#')
    const instance = {
      ...wire({ ip: address.slice(0, at), port: Number(address.slice(at + 1)) }, entry.ref),
      serviceName: entry.ref.service,
    }
    const body = { ...whereOf(entry.ref), type: 'deregisterInstance', instance }
    await this.#connection.requestOn(session, 'InstanceRequest', 'naming', body)
    entry.sent?.addresses.delete(address)
  }
}

/**
 * All fields, because r-nacos refuses an instance without weight, and servers make the `instanceId` that Java callers read for
 * a single instance only, not for a batch.
 */
function wire(instance: InstanceInput, { group, service }: Required<ServiceRef>): Record<string, unknown> {
  const cluster = instance.cluster ?? 'DEFAULT'
  return {
    instanceId: `${instance.ip}#${instance.port}#${cluster}#${group}@@${service}`,
    ip: instance.ip,
    port: instance.port,
    weight: instance.weight ?? 1,
    healthy: instance.healthy ?? true,
    enabled: instance.enabled ?? true,
    ephemeral: true,
    clusterName: cluster,
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
