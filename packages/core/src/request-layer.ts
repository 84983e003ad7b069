import { slot } from './context-slot.js'
import { decisionOf } from './ingress.js'
import type { Lane } from './lane.js'

type Callable = (this: any, ...args: any[]) => any

/**
 * Makes a function of a framework run in the lane of the request that it is given: a middleware, a hook, an error
 * handler. What called it may run in the context of another request, for example behind a queue that requests share.
 *
 * Nothing is entered where the lane is right already, which is nearly always. `this`, arguments, name and length stay.
 *
 * @param requestOf - finds the request of `node:http` among the arguments; one that no ingress has seen changes nothing
 */
export function guardLayer<F extends Callable>(layer: F, requestOf: (args: readonly any[]) => unknown): F {
  const guarded = function (this: unknown, ...args: unknown[]): unknown {
    const request = requestOf(args)
    if (typeof request !== 'object' || request === null || inLaneOf(request)) return Reflect.apply(layer, this, args)
    return slot.storage.run(decisionOf(request)?.lane, Reflect.apply, layer, this, args)
  }
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(layer) as PropertyDescriptorMap
  return Object.defineProperties(guarded, properties) as F
}

/** Also where nothing is known of the request, and where the lane cannot be read. */
function inLaneOf(request: object): boolean {
  const decision = decisionOf(request)
  if (decision === undefined) return true
  let now: Lane | undefined
  try {
    now = slot.storage.getStore()
  } catch {
    return true
  }
  return now === decision.lane
}
