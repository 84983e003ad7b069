import { contextOf, decisionOf, type IngressDecision } from '../ingress/ingress.js'
import type { IngressRequest } from '../ingress/request.js'
import type { Lane } from '../lane/lane.js'
import { slot } from './context-slot.js'
import type { Emitter } from './emitter.js'
import { runRequest } from './request-context.js'

type Callable = (this: any, ...args: any[]) => any

/** Decides a request that came without a server; `undefined` leaves it alone. Never throws. */
export type DecidesInjected = (request: object) => IngressDecision | undefined

/**
 * Makes a function of a framework run in the lane of the request that it is given: a middleware, a hook, an error
 * handler. What called it may run in the context of another request, for example behind a queue that requests share.
 *
 * Nothing is entered where the lane is right already, which is nearly always. `this`, arguments, name and length stay.
 *
 * @param requestOf - finds the request of `node:http` among the arguments; one that no ingress has seen changes nothing
 * @param injected - decides a request that no ingress has seen, when there can be such; without an answer it changes nothing
 */
export function guardLayer<F extends Callable>(
  layer: F,
  requestOf: (args: readonly any[]) => unknown,
  injected?: DecidesInjected,
): F {
  const guarded = function (this: unknown, ...args: unknown[]): unknown {
    const request = requestOf(args)
    if (typeof request !== 'object' || request === null) return Reflect.apply(layer, this, args)
    if (injected !== undefined && decisionOf(request) === undefined) {
      const decision = injected(request)
      if (decision !== undefined) return runInjected(decision, request, args, Reflect.apply, layer, this, args)
    }
    if (inLaneOf(request)) return Reflect.apply(layer, this, args)
    return slot.storage.run(contextOf(decisionOf(request)!), Reflect.apply, layer, this, args)
  }
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(layer) as PropertyDescriptorMap
  return Object.defineProperties(guarded, properties) as F
}

function runInjected<R, A extends unknown[]>(
  decision: IngressDecision,
  request: object,
  layerArgs: readonly any[],
  fn: (...args: A) => R,
  ...args: A
): R {
  const emitter = request as IngressRequest & Emitter
  // Middlewares get the response behind the request, or one context for both.
  const candidates = [layerArgs[layerArgs.indexOf(request) + 1], layerArgs[0]?.res]
  const response = candidates.find(one => typeof one?.emit === 'function') ?? emitter
  return runRequest(decision, emitter, response, fn, ...args)
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
  return now === contextOf(decision)
}
