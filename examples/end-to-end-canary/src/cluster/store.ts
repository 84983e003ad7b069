import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from './clock.js'
import type { KubeObject } from './kube-object.js'

/** A change of one object; `after` is undefined when it is gone. */
export interface Change {
  readonly kind: string
  readonly name: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/** The objects of the one namespace that is played; an API server's memory without the API. */
export class Store {
  readonly #objects = new Map<string, KubeObject>()
  readonly #watchers: ((change: Change) => void)[] = []
  readonly #clock: Clock
  #version = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(kind: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${kind}/${name}`)
  }

  list(kind: string): KubeObject[] {
    return [...this.#objects.values()].filter(one => one.kind === kind)
  }

  all(): KubeObject[] {
    return [...this.#objects.values()]
  }

  create(object: KubeObject): KubeObject {
    const { kind, metadata } = object
    const after: KubeObject = structuredClone(object)
    after.metadata = {
      ...structuredClone(metadata),
      uid: randomUUID(),
      generation: 1,
      resourceVersion: this.#nextVersion(),
      creationTimestamp: this.#clock.date().toISOString(),
    }
    this.#objects.set(`${kind}/${metadata.name}`, after)
    this.#tell({ kind, name: metadata.name, before: undefined, after })
    return after
  }

  /** Changes an object; a change that changes nothing is no change. Not there: nothing happens. */
  update(kind: string, name: string, change: (draft: KubeObject) => void): KubeObject | undefined {
    const before = this.get(kind, name)
    if (before === undefined) return undefined
    const after = structuredClone(before)
    change(after)
    if (isDeepStrictEqual(before, after)) return before
    if (!isDeepStrictEqual(before.spec, after.spec)) after.metadata.generation = (before.metadata.generation ?? 1) + 1
    after.metadata.resourceVersion = this.#nextVersion()
    this.#objects.set(`${kind}/${name}`, after)
    this.#tell({ kind, name, before, after })
    return after
  }

  /** Marks an object for its controller to end. */
  markDeleted(kind: string, name: string): void {
    this.update(kind, name, draft => {
      draft.metadata.deletionTimestamp ??= this.#clock.date().toISOString()
    })
  }

  remove(kind: string, name: string): void {
    const before = this.get(kind, name)
    if (before === undefined) return
    this.#objects.delete(`${kind}/${name}`)
    this.#tell({ kind, name, before, after: undefined })
  }

  watch(watcher: (change: Change) => void): void {
    this.#watchers.push(watcher)
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change)
  }

  #nextVersion(): string {
    return String(++this.#version)
  }
}
