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
 * A method that a class or an object of the application replaces, and that calls this one, stays: what was given takes the
 * place of this one, behind it.
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
  /** What was given behind a method of the application. */
  const behind = new WeakMap<object, Record<string, Method>>()
  const originals: Record<string, Method> = {}
  const laneMethods: Record<string, Method> = {}

  function giveBehind(target: object): void {
    const own: [string, PropertyDescriptor | undefined][] = []
    try {
      for (const [name, value] of Object.entries(originals)) {
        if ((target as Record<string, unknown>)[name] === laneMethods[name]) continue
        const before = Object.getOwnPropertyDescriptor(target, name)
        Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true })
        own.push([name, before])
      }
      give(target)
    } finally {
      const given: Record<string, Method> = {}
      for (const [name, before] of own) {
        given[name] = (target as Record<string, Method>)[name]!
        if (before === undefined) delete (target as Record<string, unknown>)[name]
        else Object.defineProperty(target, name, before)
      }
      if (own.length > 0) behind.set(target, given)
    }
  }

  for (const name of names) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
    const original = descriptor?.value as Method | undefined
    if (typeof original !== 'function') continue
    const laneMethod: Method = function (...args) {
      return Reflect.apply(methodOf(this), this, args)
    }
    const methodOf = (target: object): Method => {
      if (failed.has(target)) return original
      const known = behind.get(target)?.[name]
      if (known !== undefined) return known
      if (has(target)) return original
      try {
        giveBehind(target)
      } catch (error) {
        failed.add(target)
        fault(error)
        return original
      }
      const given = behind.get(target)?.[name] ?? (target as Record<string, Method>)[name]!
      return given === laneMethod ? original : given
    }
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(laneMethod, key, { value: original[key], configurable: true })
    }
    originals[name] = original
    laneMethods[name] = laneMethod
    Object.defineProperty(prototype, name, { ...descriptor, value: laneMethod })
  }
}
