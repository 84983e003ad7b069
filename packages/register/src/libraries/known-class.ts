import { owns } from './emitter-classes.js'
import type { LaneMethods } from './lane-methods.js'

/** How a class of a library is recognised, and what is replaced there. */
export interface KnownClass {
  /** Whether this prototype is the one. Looks at own methods only. */
  readonly matches: (owner: object) => boolean
  readonly adopt: (owner: object, methods: LaneMethods) => void
}

/** Whether an object has all these methods itself. */
export const has =
  (...names: string[]) =>
  (owner: object) =>
    owns(owner, ...names)

/** Methods that not every version has. */
export function own(owner: object, ...names: string[]): string[] {
  return names.filter(name => owns(owner, name))
}
