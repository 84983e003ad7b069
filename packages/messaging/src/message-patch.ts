import type { Warn } from '@laneway/core'
import type { MessageOptions } from './message-lanes.js'

/** What a preload gives to the patch of a package for messages. */
export interface MessagePatchOptions extends MessageOptions {
  /** Whether the consumers of a queue or topic keep lanes apart. */
  readonly isolates: (destination: string) => boolean
  /** Told what the operator should know. */
  readonly warn: Warn
  /** Told of a fault of Laneway's own; the object goes on without lanes. */
  readonly fault: (error: unknown) => void
}

/**
 * Gives lanes to what an application makes of a client: `found` is the prototype of one of its classes, or what its
 * module exports. Never throws.
 */
export type MessagePatch = (found: object) => void

type Method = (this: object, ...args: unknown[]) => unknown

/**
 * Lets each object of a class be given lanes when one of some methods is first called on it, before that call. An object
 * that the application has given lanes itself is left as it is.
 *
 * @param has - whether an object has been given lanes
 * @param give - replaces methods of the object; the call goes on with the replaced one
 */
export function giveAtFirstCall(
  prototype: object,
  names: readonly string[],
  has: (target: object) => boolean,
  give: (target: object) => void,
  fault: (error: unknown) => void,
): void {
  const failed = new WeakSet<object>()
  for (const name of names) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
    const original = descriptor?.value as Method | undefined
    if (typeof original !== 'function') continue
    const laneMethod: Method = function (...args) {
      return Reflect.apply(methodOf(this), this, args)
    }
    const methodOf = (target: object): Method => {
      if (failed.has(target) || has(target)) return original
      try {
        give(target)
      } catch (error) {
        failed.add(target)
        fault(error)
        return original
      }
      const given = (target as Record<string, Method>)[name]!
      return given === laneMethod ? original : given
    }
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(laneMethod, key, { value: original[key], configurable: true })
    }
    Object.defineProperty(prototype, name, { ...descriptor, value: laneMethod })
  }
}
