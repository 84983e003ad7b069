import type { Pusher } from '../session/pusher.js'
import type { Session } from '../session/session.js'
import { Timers } from '../timers.js'
import type { ServiceName } from './instance.js'
import { keyOf, type NamingStore, type ServiceInfo } from './naming-store.js'

interface Batch {
  readonly name: ServiceName
  /** Undefined: every subscriber of the service. */
  targets: Set<string> | undefined
}

interface NamingPushOptions {
  readonly delayMs: number
  readonly retryMs: number
  readonly sessionById: (connectionId: string) => Session | undefined
}

/** Pushes lists to subscribers: changes within the delay become one push, and a push is repeated until acknowledged. */
export class NamingPushes {
  readonly #batches = new Map<string, Batch>()
  readonly #timers = new Timers()

  constructor(
    private readonly store: NamingStore,
    private readonly pusher: Pusher,
    private readonly options: NamingPushOptions,
  ) {}

  /** Schedules a push to all subscribers of the service, or to one. A later call does not move the moment of the push. */
  schedule(name: ServiceName, target?: string, delayMs = this.options.delayMs): void {
    const key = keyOf(name)
    const batch = this.#batches.get(key)
    if (batch === undefined) {
      const targets = target === undefined ? undefined : new Set([target])
      this.#batches.set(key, { name, targets })
      this.#timers.after(delayMs, () => this.#flush(key))
    } else if (target === undefined) batch.targets = undefined
    else batch.targets?.add(target)
  }

  close(): void {
    this.#timers.cancelAll()
    this.#batches.clear()
  }

  #flush(key: string): void {
    const batch = this.#batches.get(key)
    if (batch === undefined) return
    this.#batches.delete(key)
    const subscribers = this.store.subscribersOf(batch.name)
    const targets = batch.targets === undefined ? subscribers : subscribers.filter(id => batch.targets?.has(id))
    if (targets.length === 0) return
    const serviceInfo = this.store.serviceInfo(batch.name)
    for (const connectionId of targets) void this.#push(batch.name, connectionId, serviceInfo)
  }

  async #push(name: ServiceName, connectionId: string, serviceInfo: ServiceInfo): Promise<void> {
    const session = this.options.sessionById(connectionId)
    if (session === undefined) return
    const end = await this.pusher.push(session, 'NotifySubscriberRequest', { serviceInfo, module: 'naming' })
    // Without end, as a real server: until acknowledged, unsubscribed or disconnected. The repeat carries the list of then.
    if (end !== 'refused' && end !== 'unanswered') return
    if (this.options.sessionById(connectionId) !== session) return
    this.#timers.after(this.options.retryMs, () => this.schedule(name, connectionId, 0))
  }
}
