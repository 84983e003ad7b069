/** Two generations of entries. The younger one is looked at first; when it is full, it becomes the older one. */
export interface Generations<K, V> {
  young: Map<K, V>
  old: Map<K, V>
}

/**
 * Keeps an entry. When the younger generation is full, evicts the entries that were not read lately.
 *
 * @param limit - entries of one generation
 */
export function keep<K, V>(generations: Generations<K, V>, limit: number, key: K, value: V): void {
  if (generations.young.size >= limit && !generations.young.has(key)) {
    generations.old = generations.young
    generations.young = new Map()
  }
  generations.young.set(key, value)
}

/**
 * A map of bounded size, for keys that come from the network. It evicts entries that were not read lately. A look-up of
 * a recent key is one look-up in a `Map` and allocates nothing.
 */
export class BoundedMap<K, V> implements Generations<K, V> {
  young = new Map<K, V>()
  old = new Map<K, V>()
  readonly #generation: number

  /** @param most - entries held at most */
  constructor(most: number) {
    this.#generation = Math.max(1, Math.floor(most / 2))
  }

  /** Entries held. A key that is in both generations counts twice. */
  get size(): number {
    return this.young.size + this.old.size
  }

  get(key: K): V | undefined {
    const value = this.young.get(key)
    return value !== undefined ? value : this.#rare(key)
  }

  /**
   * The value of a key; makes and keeps it where there is none.
   *
   * @param make - not called for a key that is held. Never `undefined`: write `null` for "nothing". Give a function that
   *   exists already, so that a look-up makes no closure
   */
  of(key: K, make: (key: K) => V): V {
    const value = this.young.get(key)
    return value !== undefined ? value : this.#made(key, make)
  }

  set(key: K, value: V): void {
    keep(this, this.#generation, key, value)
  }

  delete(key: K): boolean {
    const wasYoung = this.young.delete(key)
    return this.old.delete(key) || wasYoung
  }

  clear(): void {
    this.young.clear()
    this.old.clear()
  }

  /** Of its own, so that `get` stays small enough to be inlined. */
  #rare(key: K): V | undefined {
    const value = this.old.get(key)
    if (value !== undefined) keep(this, this.#generation, key, value)
    return value
  }

  #made(key: K, make: (key: K) => V): V {
    let value = this.#rare(key)
    if (value === undefined) {
      value = make(key)
      keep(this, this.#generation, key, value)
    }
    return value
  }
}
