import { createUndiciPatch, type LaneEgressOptions } from '@laneway/undici'
import { chainOf, owns, watchEmitterClasses } from './emitter-classes.js'
import type { Guard } from './guard.js'

type Methods = Record<string, ((...args: any[]) => any) | undefined>

/**
 * Finds every copy of undici when its first dispatcher is made: installed, bundled, minified, built into Node. All
 * dispatchers are event emitters, and they are told by their shape, because minifiers rename classes. The built-in fetch is
 * not touched until something uses it.
 *
 * @returns the copies found so far
 */
export function hookUndici(options: LaneEgressOptions, guard: Guard): () => number {
  const patch = createUndiciPatch(options, error => guard.fault('undici', error))
  const patched = new WeakSet<object>()
  let copies = 0

  function look(prototype: object): void {
    const chain = chainOf(prototype)
    const base = chain.findIndex(isDispatcherBase)
    if (base === -1) return
    for (const [index, owner] of chain.entries()) {
      if (patched.has(owner)) continue
      patched.add(owner)
      const methods = owner as Methods
      if (index <= base && owns(owner, 'dispatch')) methods['dispatch'] = patch.wrapDispatch(methods['dispatch']!)
      if (owns(owner, 'compose')) methods['compose'] = patch.wrapCompose(methods['compose']!)
      if (index === base) copies++
    }
  }

  watchEmitterClasses(prototype => guard.attempt('undici', () => look(prototype)))
  // Made by a preload before this one.
  const global = globalThis as Record<symbol, unknown>
  for (const version of [1, 2]) {
    const dispatcher = global[Symbol.for(`undici.globalDispatcher.${version}`)]
    if (typeof dispatcher === 'object' && dispatcher !== null) look(Object.getPrototypeOf(dispatcher))
  }
  return () => copies
}

/** What all dispatchers that send have in common and wrappers (`RetryAgent`, a composed one) have not. */
function isDispatcherBase(owner: object): boolean {
  return (
    ['dispatch', 'close', 'destroy'].every(name => owns(owner, name)) &&
    ['destroyed', 'closed'].every(name => Object.getOwnPropertyDescriptor(owner, name)?.get !== undefined)
  )
}
