import { randomUUID } from 'node:crypto'

/** An object as the API server holds it. */
export interface StoredObject {
  metadata: {
    name: string
    uid?: string
    resourceVersion?: string
    labels?: Record<string, string>
    [key: string]: unknown
  }
  [key: string]: unknown
}

/** One change. */
export interface StoreEvent {
  readonly version: number
  readonly collection: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: StoredObject
  readonly before: StoredObject | undefined
}

/** Objects by collection path, e.g. `/api/v1/namespaces/shop/pods`, with one history of versions for all. */
export class KubernetesStore {
  readonly #collections = new Map<string, Map<string, StoredObject>>()
  readonly #listeners = new Set<(event: StoreEvent) => void>()
  #history: StoreEvent[] = []
  #version = 100
  #oldest = 100

  get version(): number {
    return this.#version
  }

  items(collection: string): StoredObject[] {
    return [...(this.#collections.get(collection)?.values() ?? [])]
  }

  get(collection: string, name: string): StoredObject | undefined {
    return this.#collections.get(collection)?.get(name)
  }

  /** Creates or replaces an object; keeps the uid of the one it replaces unless it brings its own. */
  put(collection: string, object: StoredObject): StoredObject {
    const objects = this.#collections.get(collection) ?? new Map<string, StoredObject>()
    this.#collections.set(collection, objects)
    const before = objects.get(object.metadata.name)
    const replaced =
      before !== undefined && object.metadata.uid !== undefined && object.metadata.uid !== before.metadata.uid
    if (replaced) this.remove(collection, object.metadata.name)
    const stored = structuredClone(object)
    stored.metadata.uid ??= before?.metadata.uid ?? randomUUID()
    stored.metadata['creationTimestamp'] ??= before?.metadata['creationTimestamp'] ?? '2026-01-01T00:00:00Z'
    stored.metadata.resourceVersion = String(++this.#version)
    objects.set(stored.metadata.name, stored)
    this.#notify({
      type: before === undefined || replaced ? 'ADDED' : 'MODIFIED',
      object: stored,
      before,
      collection,
      version: this.#version,
    })
    return stored
  }

  remove(collection: string, name: string): void {
    const before = this.#collections.get(collection)?.get(name)
    if (before === undefined) return
    this.#collections.get(collection)?.delete(name)
    const object = structuredClone(before)
    object.metadata.resourceVersion = String(++this.#version)
    this.#notify({ type: 'DELETED', object, before, collection, version: this.#version })
  }

  /** Forgets the history: to continue from an older version is answered by 410. */
  compact(): void {
    this.#history = []
    this.#oldest = ++this.#version
  }

  /** @returns `undefined` when `version` has been forgotten */
  since(version: number): StoreEvent[] | undefined {
    return version < this.#oldest ? undefined : this.#history.filter(event => event.version > version)
  }

  onChange(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #notify(event: StoreEvent): void {
    this.#history.push(event)
    for (const listener of [...this.#listeners]) listener(event)
  }
}

/** One term of a label selector: `a`, `!a`, `a=b`, `a in (b,c)`. */
const TERM = /^(!?)([^=!\s]+?)(?:=(.*)| in \((.*)\))?$/

/** Terms separated by commas, as in `a=b,c,!d,e in (f,g)`. */
export function matchesSelector(object: StoredObject | undefined, selector: string): boolean {
  if (object === undefined) return false
  return selector.split(/,(?![^(]*\))/).every(term => {
    if (term === '') return true
    const [, not, key = '', value, values] = TERM.exec(term) ?? []
    const own = object.metadata.labels?.[key]
    if (not === '!') return own === undefined
    if (values !== undefined) return own !== undefined && values.split(',').includes(own)
    return value === undefined ? own !== undefined : own === value
  })
}
