import { bindEmitter, type Emitter, type Lane, runInLane } from '@laneway/core'
import { contextNow } from '@laneway/core/internal'
import type { Guard } from '../guard.js'

type Callback = (this: unknown, ...args: unknown[]) => unknown

const kBound = Symbol('laneway.callback')

/** Replaces methods of a library's classes, under the name with which a user can switch that off. */
export interface LaneMethods {
  /**
   * The functions among the arguments are callbacks: they run in the lane of the caller. A method that is `async` is left
   * alone: its answer is a promise, and a function that it takes is no callback.
   */
  callbacks(prototype: object, ...names: string[]): void
  /** The functions among the arguments are tasks for later: they run in the lane of the caller, of an `async` method, too. */
  tasks(prototype: object, ...names: string[]): void
  /**
   * The first argument is a command that waits in a queue: the callbacks in these properties of it, and its events, run in
   * the lane of the caller.
   */
  commands(prototype: object, name: string, ...properties: string[]): void
  /** What the methods start belongs to no request. */
  detached(prototype: object, ...names: string[]): void
  /** Any change of what the method returns. */
  results(prototype: object, name: string, change: (result: unknown) => unknown): void
  /** Any change of the arguments. Its first fault is reported; from then on the library's own method runs. */
  prepare(prototype: object, name: string, prepare: (args: unknown[], self: unknown) => void): void
}

export function createLaneMethods(part: string, guard: Guard): LaneMethods {
  let stepsAside = false

  function prepare(prototype: object, name: string, change: (args: unknown[], self: unknown) => void): void {
    replace(prototype, name, original => {
      return function (this: unknown, ...args: unknown[]): unknown {
        if (!stepsAside) {
          try {
            change(args, this)
          } catch (error) {
            stepsAside = true
            guard.fault(part, error)
          }
        }
        return Reflect.apply(original, this, args)
      }
    })
  }

  return {
    prepare,
    results(prototype, name, change) {
      replace(prototype, name, original => {
        return function (this: unknown, ...args: unknown[]): unknown {
          const result = Reflect.apply(original, this, args)
          try {
            return stepsAside ? result : change(result)
          } catch (error) {
            stepsAside = true
            guard.fault(part, error)
            return result
          }
        }
      })
    },
    callbacks(prototype, ...names) {
      for (const name of names) {
        const { value } = Object.getOwnPropertyDescriptor(prototype, name)!
        if (value.constructor.name !== 'AsyncFunction') prepare(prototype, name, bindArguments)
      }
    },
    tasks(prototype, ...names) {
      for (const name of names) prepare(prototype, name, bindArguments)
    },
    commands(prototype, name, ...properties) {
      prepare(prototype, name, ([command]) => bindCommand(command as object, properties))
    },
    detached(prototype, ...names) {
      for (const name of names) {
        replace(prototype, name, original => {
          return function (this: unknown, ...args: unknown[]): unknown {
            return runInLane(undefined, () => Reflect.apply(original, this, args))
          }
        })
      }
    },
  }
}

function bindArguments(args: unknown[]): void {
  for (let i = 0; i < args.length; i++) {
    if (typeof args[i] === 'function') args[i] = inLaneOfCaller(args[i] as Callback)
  }
}

/** Binds the callbacks that an object holds, and its events when it is an emitter. */
export function bindCommand(command: object, properties: readonly string[]): void {
  const holder = command as Record<string, unknown>
  for (const property of properties) {
    const callback = holder[property]
    if (typeof callback === 'function') holder[property] = inLaneOfCaller(callback as Callback)
  }
  // A command that comes back, as from a queue for the time without a connection, keeps its first caller.
  const emitter = command as Partial<Emitter> & { [kBound]?: true }
  if (typeof emitter.emit !== 'function' || emitter[kBound] === true) return
  emitter[kBound] = true
  bindEmitter(emitter as Emitter)
}

/** Like `bindLane`; but a callback that is bound already, and handed on by another request, keeps its first caller. */
export function inLaneOfCaller(callback: Callback): Callback {
  if (typeof callback !== 'function' || isClass(callback)) return callback
  if ((callback as { [kBound]?: true })[kBound] === true) return callback
  const lane = laneNow()
  function laneCallback(this: unknown, ...args: unknown[]): unknown {
    return inLane(lane, callback, this, args)
  }
  laneCallback[kBound] = true
  // Who takes it may read what hangs on it.
  if (Object.keys(callback).length > 0) Object.setPrototypeOf(laneCallback, callback)
  return laneCallback
}

/** Calls a function in a lane; at once where that is the lane already, or where no lane can be read. */
export function inLane(lane: Lane | undefined, fn: Callback, self: unknown, args: unknown[]): unknown {
  let there = true
  try {
    there = contextNow() === lane
  } catch {
    // Whoever meets a fault of the context first reports it.
  }
  return there ? Reflect.apply(fn, self, args) : runInLane(lane, Reflect.apply, fn, self, args)
}

/** What is kept for the code of this moment, its lane above all; none where it cannot be read. */
export function laneNow(): Lane | undefined {
  try {
    return contextNow()
  } catch {
    return undefined
  }
}

/** A class cannot be called, and a wrapper of it would lack its static members. */
function isClass(callback: Callback): boolean {
  return Object.getOwnPropertyDescriptor(callback, 'prototype')?.writable === false
}

/** The new method looks like the old one: name, parameters, what hangs on it, and whether loops see it. */
function replace(owner: object, name: string, wrap: (original: Callback) => Callback): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name)!
  const original = descriptor.value as Callback
  const wrapped = wrap(original)
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original) as PropertyDescriptorMap
  for (const key of Reflect.ownKeys(properties) as string[]) {
    if (Object.getOwnPropertyDescriptor(wrapped, key)?.configurable !== false) {
      Object.defineProperty(wrapped, key, properties[key]!)
    }
  }
  Object.defineProperty(owner, name, { ...descriptor, value: wrapped })
}
