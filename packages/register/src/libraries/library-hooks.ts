import type { Guard } from '../guard.js'
import { chainOf, watchEmitterClasses } from './emitter-classes.js'
import type { KnownClass } from './known-class.js'
import { createLaneMethods } from './lane-methods.js'

/** The libraries that are hooked. */
export interface LibraryHooks {
  /** Their names, those met so far. */
  found(): string[]
  /**
   * For a socket that is being connected: looks at the objects that own it, when they are no constructed emitters.
   *
   * @returns whether a library was met just now: the call that opens the connection was made before it could be bound
   */
  opens(socket: object): boolean
  /** Shows the prototype of an object that is no emitter of Node. */
  meets(prototype: object): void
}

/**
 * Finds the classes of libraries by their shape when their first object is made: installed, bundled, CommonJS or ES
 * module. A library that is never used costs nothing.
 */
export function hookLibraries(
  known: readonly (readonly [part: string, classes: readonly KnownClass[]])[],
  on: (part: string) => boolean,
  guard: Guard,
): LibraryHooks {
  const adopted = new WeakSet<object>()
  const found = new Set<string>()
  const libraries = known
    .filter(([part]) => on(part))
    .map(([part, classes]) => ({ part, classes, methods: createLaneMethods(part, guard) }))

  /** Throws what an object that cannot be looked at throws. */
  function look(owner: object): void {
    if (adopted.has(owner)) return
    for (const { part, classes, methods } of libraries) {
      for (const { matches, adopt } of classes) {
        if (!matches(owner)) continue
        adopted.add(owner)
        found.add(part)
        guard.attempt(part, () => adopt(owner, methods))
      }
    }
  }

  function meets(prototype: object): void {
    for (const owner of chainOf(prototype)) look(owner)
  }

  watchEmitterClasses(meets)
  return {
    found: () => [...found],
    meets,
    opens(socket) {
      const { memcached } = socket as { memcached?: unknown }
      if (typeof memcached !== 'object' || memcached === null) return false
      const before = found.size
      for (const owner of chainOf(Object.getPrototypeOf(memcached))) look(owner)
      return found.size > before
    },
  }
}
