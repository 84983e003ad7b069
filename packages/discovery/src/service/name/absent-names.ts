/** How long a name that no source knows goes to DNS before the sources are asked again. Sources that list names end it sooner. */
const ABSENT_MS = 30_000
/** Names remembered at a time; hosts from the network must not make the memory grow. */
const MAX_ABSENT = 1024

/** Names of which every source said that it has no such service. */
export class AbsentNames {
  readonly #keys = new Set<string>()
  readonly #forgotten: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param forgotten - called when the names were dropped because of their age */
  constructor(forgotten: () => void) {
    this.#forgotten = forgotten
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  add(key: string): void {
    if (this.#keys.size >= MAX_ABSENT) this.#keys.clear()
    this.#keys.add(key)
    this.#timer ??= setTimeout(() => {
      this.clear()
      this.#forgotten()
    }, ABSENT_MS).unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#keys.clear()
  }
}
