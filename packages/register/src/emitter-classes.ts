import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import util from 'node:util'

interface EmitterClass {
  /** Called by every constructor that descends from EventEmitter, those inside Node included. */
  init(this: object, options?: unknown): void
}

const known = new WeakSet<object>()
const looks: ((prototype: object) => void)[] = []

/**
 * Shows the prototype of every class of event emitters, when its first object is made and before its own constructor goes
 * on. A known class costs one look-up per object, however many parts of this package watch.
 *
 * Classes made by `util.inherits` are shown once more, when their module has been read: some never call the constructor
 * of EventEmitter.
 *
 * @param look - must not throw
 */
export function watchEmitterClasses(look: (prototype: object) => void): void {
  looks.push(look)
  if (looks.length > 1) return
  known.add(EventEmitter.prototype)
  const emitters = EventEmitter as unknown as EmitterClass
  const { init } = emitters
  emitters.init = function laneInit(this: object, options?: unknown): void {
    const prototype = this === Object(this) ? (Object.getPrototypeOf(this) as object | null) : null
    // Some programs call EventEmitter on an object without a prototype.
    if (prototype !== null && !known.has(prototype)) {
      known.add(prototype)
      for (const one of looks) one(prototype)
    }
    init.call(this, options)
  }
  const { inherits: original } = util
  const laneInherits: typeof original = function inherits(child, parent) {
    original(child, parent)
    const prototype = (child as { prototype?: object }).prototype
    if (!(prototype instanceof EventEmitter)) return
    // Its methods come next.
    queueMicrotask(() => {
      for (const one of looks) one(prototype)
    })
  }
  util.inherits = laneInherits
  syncBuiltinESMExports()
}

/** The prototypes of a class, the most derived first, without those of Node. */
export function chainOf(prototype: object): object[] {
  const chain: object[] = []
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== EventEmitter.prototype && owner !== Object.prototype;
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
