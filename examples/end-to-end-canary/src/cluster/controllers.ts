import type { Clock } from './clock.js'
import type { Change, Store } from './store.js'

/** Brings the world nearer to one object. @returns ms until it wants to look again */
export type Reconcile = (name: string) => number | undefined

interface Controller {
  readonly reconcile: Reconcile
  readonly concerns: (change: Change) => readonly string[]
  readonly pending: Map<string, { at: number; forget: () => void }>
}

/** Between a change and the look of a controller at it, as recorded from a real one. */
const NOTICE_MS = 25

/** Runs controllers: each looks at an object when it changes, and when it asked to look again. */
export class Controllers {
  readonly #controllers: Controller[] = []
  readonly #clock: Clock
  #stopped = false

  constructor(store: Store, clock: Clock) {
    this.#clock = clock
    store.watch(change => {
      for (const controller of this.#controllers) {
        for (const name of controller.concerns(change)) this.#schedule(controller, name, NOTICE_MS)
      }
    })
  }

  /** @param concerns - the names to look at after a change */
  add(reconcile: Reconcile, concerns: (change: Change) => readonly string[]): void {
    this.#controllers.push({ reconcile, concerns, pending: new Map() })
  }

  stop(): void {
    this.#stopped = true
    for (const { pending } of this.#controllers) for (const { forget } of pending.values()) forget()
  }

  #schedule(controller: Controller, name: string, ms: number): void {
    if (this.#stopped) return
    const { pending } = controller
    const at = this.#clock.now() + ms
    const planned = pending.get(name)
    if (planned !== undefined && planned.at <= at) return
    planned?.forget()
    const forget = this.#clock.after(ms, () => {
      pending.delete(name)
      const again = controller.reconcile(name)
      if (again !== undefined) this.#schedule(controller, name, again)
    })
    pending.set(name, { at, forget })
  }
}
