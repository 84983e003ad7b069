import type { Pusher } from '../session/pusher.js'
import type { Session } from '../session/session.js'
import { Timers } from '../timers.js'
import type { ConfigName, ConfigStore } from './config-store.js'

/** A Java server gives a listener up after so many repeats. */
const MAX_REPEATS = 50

interface ConfigPushOptions {
  readonly delayMs: number
  readonly sessionById: (connectionId: string) => Session | undefined
}

/** Tells listeners that a config has changed; the message does not carry the content. */
export class ConfigPushes {
  readonly #timers = new Timers()
  readonly #scheduled = new Set<string>()

  constructor(
    private readonly store: ConfigStore,
    private readonly pusher: Pusher,
    private readonly options: ConfigPushOptions,
  ) {}

  schedule(name: ConfigName): void {
    const key = this.store.keyOf(name)
    if (this.#scheduled.has(key)) return
    this.#scheduled.add(key)
    this.#timers.after(this.options.delayMs, () => {
      this.#scheduled.delete(key)
      for (const { connectionId, tenant } of this.store.listenersOf(name)) {
        void this.#push(connectionId, { ...name, tenant }, 0)
      }
    })
  }

  close(): void {
    this.#timers.cancelAll()
    this.#scheduled.clear()
  }

  async #push(connectionId: string, { dataId, group, tenant }: ConfigName, repeats: number): Promise<void> {
    const session = this.options.sessionById(connectionId)
    if (session === undefined) return
    const end = await this.pusher.push(session, 'ConfigChangeNotifyRequest', {
      dataId,
      group,
      // Left out, not empty, for the empty tenant.
      ...(tenant !== '' && { tenant }),
      module: 'config',
    })
    if ((end !== 'refused' && end !== 'unanswered') || repeats >= MAX_REPEATS) return
    this.#timers.after(
      (repeats + 1) * 2000,
      () => void this.#push(connectionId, { dataId, group, tenant }, repeats + 1),
    )
  }
}
