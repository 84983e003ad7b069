import type { EgressOptions } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { createUndiciPatch, type UndiciPatch } from '@laneway/undici/internal'
import type { Guard } from '../guard.js'
import { chainOf, owns, watchEmitterClasses } from '../libraries/emitter-classes.js'

type Method = (...args: any[]) => any
type Methods = Record<string, Method | undefined>

/** The copies of undici in the process so far. */
export interface UndiciCopies {
  readonly hooked: number
  /** Copies before 6.8, undici 5 above all: they have no interceptors, and Laneway does nothing to them. */
  readonly leftAlone: number
}

/**
 * Finds every copy of undici when its first dispatcher is made: installed, bundled, minified, built into Node. All
 * dispatchers are event emitters, and they are recognised by their shape, because minifiers rename classes. The built-in fetch is
 * not touched until something uses it.
 *
 * An object of the application that cannot be looked at, or a class that cannot be changed, is left alone; the others are not.
 *
 * @returns the copies found so far
 */
export function hookUndici(options: EgressOptions<EgressResolver>, guard: Guard): () => UndiciCopies {
  const patch = createUndiciPatch(options, error => guard.fault('undici', error))
  const patched = new WeakSet<object>()
  let hooked = 0
  let leftAlone = 0

  function look(prototype: object): void {
    const chain = chainOf(prototype)
    const base = chain.findIndex(isDispatcherBase)
    if (base === -1) return
    const old = !chain.some(owner => owns(owner, 'compose'))
    for (const [index, owner] of chain.entries()) {
      if (patched.has(owner)) continue
      patched.add(owner)
      if (index === base) {
        if (old) leftAlone++
        else hooked++
      }
      // By itself: a class that is frozen costs that class alone.
      if (!old) guard.attempt('undici', () => patchClass(patch, owner, index <= base))
    }
  }

  watchEmitterClasses(look)
  // Made by a preload before this one.
  const global = globalThis as Record<symbol, unknown>
  for (const version of [1, 2]) {
    const dispatcher = global[Symbol.for(`undici.globalDispatcher.${version}`)]
    if (typeof dispatcher === 'object' && dispatcher !== null) look(Object.getPrototypeOf(dispatcher))
  }
  return () => ({ hooked, leftAlone })
}

/** @param sends - `DispatcherBase`, or a class that descends from it */
function patchClass(patch: UndiciPatch, owner: object, sends: boolean): void {
  const methods = owner as Methods
  if (sends && owns(owner, 'dispatch')) methods['dispatch'] = patch.wrapDispatch(methods['dispatch'] as Method)
  if (owns(owner, 'compose')) methods['compose'] = patch.wrapCompose(methods['compose'] as Method)
  if (sends && owns(owner, 'intercept')) patchMock(patch, owner)
}

/**
 * A MockPool and a MockClient get a `dispatch` of their own when they are made: it is wrapped as it is set, so that the user's
 * answers see the tag.
 */
function patchMock(patch: UndiciPatch, owner: object): void {
  patch.mocking()
  Object.defineProperty(owner, 'dispatch', {
    configurable: true,
    enumerable: false,
    get: () => (Object.getPrototypeOf(owner) as Methods)['dispatch'],
    set(this: object, dispatch: unknown) {
      const value = typeof dispatch === 'function' ? patch.wrapDispatch(dispatch as Method) : dispatch
      Object.defineProperty(this, 'dispatch', { value, configurable: true, enumerable: true, writable: true })
    },
  })
}

/** What all dispatchers that send have in common and wrappers (`RetryAgent`, a composed one) have not. */
function isDispatcherBase(owner: object): boolean {
  return (
    ['dispatch', 'close', 'destroy'].every(name => owns(owner, name)) &&
    ['destroyed', 'closed'].every(name => Object.getOwnPropertyDescriptor(owner, name)?.get !== undefined)
  )
}
