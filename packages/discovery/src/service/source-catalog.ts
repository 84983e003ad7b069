import type { ServiceNaming } from './name/service-name.js'
import type { SourceHub } from './source-hub.js'

/** What the sources list, by key. */
export class SourceCatalog {
  readonly #hubs: readonly SourceHub[]
  readonly #naming: ServiceNaming
  /** Per source: the spellings of each key; `undefined` until the first list. */
  readonly #lists: (ReadonlyMap<string, readonly string[]> | undefined)[]
  readonly #stops: (() => void)[] = []

  constructor(hubs: readonly SourceHub[], naming: ServiceNaming) {
    this.#hubs = hubs
    this.#naming = naming
    this.#lists = hubs.map(() => undefined)
  }

  /**
   * Begins to list. Calls `changed` with the index of the source.
   *
   * @param declared - the services are declared: the lists may wait until a name is needed, see `Source.list`
   */
  start(changed: (index: number) => void, declared: boolean): void {
    // Which of several sources owns a service is decided by their lists.
    const onDemand = declared && this.#hubs.length === 1
    this.#hubs.forEach((hub, index) => {
      const stop = hub.list(names => {
        this.#lists[index] = this.#group(names)
        changed(index)
      }, onDemand)
      this.#stops.push(stop)
    })
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Whether the source lists its services but has not done so yet. */
  isPending(index: number): boolean {
    return this.#hubs[index]!.lists && this.#lists[index] === undefined
  }

  /** Whether the source has listed its services. */
  isKnown(index: number): boolean {
    return this.#lists[index] !== undefined
  }

  /** The spellings under which a source lists a service: none, one, or several that differ by case. */
  spellings(index: number, key: string): readonly string[] {
    return this.#lists[index]?.get(key) ?? NONE
  }

  /** All names, as the sources spell them. */
  names(): string[] {
    return this.#lists.flatMap(list => [...(list?.values() ?? [])].flat())
  }

  /** Whether any source lists a service. */
  isListed(key: string): boolean {
    return this.#lists.some(list => list?.has(key))
  }

  /** Names of one source that differ only by case and are different services there. A host name cannot say which one it means. */
  ambiguity(key: string): { readonly source: string; readonly names: readonly string[] } | undefined {
    for (let index = 0; index < this.#hubs.length; index++) {
      const { source } = this.#hubs[index]!
      const names = this.spellings(index, key)
      if (names.length > 1 && source.caseInsensitive === false) return { source: source.name, names }
      if (names.length > 0) return undefined
    }
    return undefined
  }

  #group(names: Iterable<string>): Map<string, readonly string[]> {
    const byKey = new Map<string, string[]>()
    for (const name of names) {
      const key = this.#naming.keyOf(name)
      const spellings = byKey.get(key)
      // `n` and `n.<own namespace>` are one service, not two; the shorter is asked for.
      if (spellings === undefined) byKey.set(key, [name])
      else if (spellings[0]!.length === name.length) spellings.push(name)
      else if (spellings[0]!.length > name.length) byKey.set(key, [name])
    }
    return byKey
  }
}

const NONE: readonly string[] = []
