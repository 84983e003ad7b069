import { EventEmitter } from 'node:events'
import { OutgoingMessage } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import util from 'node:util'

interface EmitterClass {
  /** Called by every constructor that descends from EventEmitter, those inside Node included. */
  init(this: object, options?: unknown): void
}

const known = new WeakSet<object>()
type Look = (prototype: object) => unknown
const looks: Look[] = []

/**
 * Shows the prototype of every class of event emitters, when its first object is made and before its own constructor goes
 * on. A known class costs one look-up per object, however many parts of this package watch.
 *
 * Classes made by `util.inherits` are shown once more, when their module has been read: some never call the constructor
 * of EventEmitter.
 *
 * @param look - `true` asks to be shown the class again with its next object; what it throws is about this one class: the
 *   next look goes on
 */
export function watchEmitterClasses(look: Look): void {
  looks.push(look)
  if (looks.length > 1) return
  known.add(EventEmitter.prototype)
  const emitters = EventEmitter as unknown as EmitterClass
  const { init } = emitters
  emitters.init = function laneInit(this: object, options?: unknown): void {
    try {
      // Some programs call EventEmitter on an object without a prototype.
      const prototype = Object.getPrototypeOf(this) as object | null
      if (prototype !== null && !known.has(prototype)) show(prototype)
    } catch {
      // The object itself throws when it is read. The classes that are looked for do not.
    }
    init.call(this, options)
  }
  const { inherits: original } = util
  const laneInherits: typeof original = function inherits(child, parent) {
    original(child, parent)
    const prototype = (child as { prototype?: object }).prototype
    // A response calls the constructor, and what is done for injected requests has to see the app loaded.
    if (!(prototype instanceof EventEmitter) || prototype instanceof OutgoingMessage) return
    // Its methods come next.
    queueMicrotask(() => show(prototype))
  }
  util.inherits = laneInherits
  syncBuiltinESMExports()
}

function show(prototype: object): void {
  known.add(prototype)
  for (const one of looks) {
    try {
      if (one(prototype) === true) known.delete(prototype)
    } catch {
      // An object of the application that cannot be looked at, or a class that cannot be changed, is left alone.
    }
  }
}

/** Longer than any chain of classes: a Proxy may have a prototype without end. */
const MAX_CHAIN = 32

/** The prototypes of a class, the most derived first, without those of Node. */
export function chainOf(prototype: object): object[] {
  const chain: object[] = []
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== EventEmitter.prototype && owner !== Object.prototype && chain.length < MAX_CHAIN;
    owner = Object.getPrototypeOf(owner)
  ) {
    chain.push(owner)
  }
  return chain
}

/** Whether an object has all these methods itself; getters are not called. */
export function owns(owner: object, ...names: string[]): boolean {
  return names.every(name => typeof Object.getOwnPropertyDescriptor(owner, name)?.value === 'function')
}
