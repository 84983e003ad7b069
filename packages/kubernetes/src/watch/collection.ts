import { identityOf, type KubeObject } from '../objects/kube-object.js'
import { isOlder } from './resource-version.js'

interface Entry<T> {
  readonly version: string
  readonly value: T
}

/** A whole list that is coming in, and takes the place of what is known when it is complete. */
export interface Filling<T> {
  readonly entries: Map<string, Entry<T>>
  readonly values: Map<string, T>
}

/** Deleted objects that are remembered. A late event of one must not revive it. */
const MAX_TOMBSTONES = 10_000

/** The objects of one collection by uid, each in its newest version. */
export class Collection<T> {
  readonly #read: (object: KubeObject) => T
  readonly #changed: (uid: string, value: T | undefined, before: T | undefined) => void
  #entries = new Map<string, Entry<T>>()
  readonly #tombstones = new Map<string, string>()

  /**
   * @param read - the part of an object that is kept
   * @param changed - called for each change by {@link apply}
   */
  constructor(
    read: (object: KubeObject) => T,
    changed: (uid: string, value: T | undefined, before: T | undefined) => void,
  ) {
    this.#read = read
    this.#changed = changed
  }

  /** Begins a list. It is filled object by object: copying thousands at its end would hold up the event loop. */
  fill(): Filling<T> {
    return { entries: new Map(), values: new Map() }
  }

  /** Adds an object to a list. An object that is known in this version is not read again. @throws TypeError */
  add({ entries, values }: Filling<T>, object: KubeObject): void {
    const { uid, version } = identityOf(object)
    const known = this.#entries.get(uid)
    const entry = known?.version === version ? known : { version, value: this.#read(object) }
    entries.set(uid, entry)
    values.set(uid, entry.value)
  }

  /** Takes an object out of a list again. @throws TypeError */
  remove({ entries, values }: Filling<T>, object: KubeObject): void {
    const { uid } = identityOf(object)
    entries.delete(uid)
    values.delete(uid)
  }

  /** Replaces all that is known by a list. */
  replace({ entries }: Filling<T>): void {
    this.#entries = entries
    this.#tombstones.clear()
  }

  /**
   * Applies an event of a watch. Events that come twice or late change nothing.
   *
   * @returns the version of the object
   * @throws TypeError for nonsense
   */
  apply(type: unknown, object: KubeObject): string {
    const { uid, version } = identityOf(object)
    const before = this.#entries.get(uid)
    if (type === 'DELETED') {
      // It came back in a newer version before this event.
      if (before !== undefined && isOlder(version, before.version)) return version
      if (this.#tombstones.size >= MAX_TOMBSTONES) this.#tombstones.clear()
      this.#tombstones.set(uid, version)
      if (this.#entries.delete(uid)) this.#changed(uid, undefined, before?.value)
    } else if (type === 'ADDED' || type === 'MODIFIED') {
      const buried = this.#tombstones.get(uid)
      // An object that left a label selector is DELETED, too, and may come back in a newer version.
      const late = buried !== undefined && !isOlder(buried, version)
      const again = before !== undefined && (before.version === version || isOlder(version, before.version))
      if (!late && !again) {
        if (buried !== undefined) this.#tombstones.delete(uid)
        const value = this.#read(object)
        this.#entries.set(uid, { version, value })
        this.#changed(uid, value, before?.value)
      }
    } else {
      throw new TypeError(`an event of type ${String(type)}`)
    }
    return version
  }
}
