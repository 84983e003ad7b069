import { ServerResponse } from 'node:http'
import type { Emitter, IngressOptions, IngressRequest } from '@laneway/core'
import {
  createIngress,
  type DecidesInjected,
  decideInjected,
  guardExpressClass,
  runRequest,
} from '@laneway/core/internal'
import type { Guard } from '../guard.js'
import { owns, watchEmitterClasses } from '../libraries/emitter-classes.js'
import { loadedModules } from '../libraries/loaded-modules.js'

/**
 * A framework may be loaded after the first injected requests. But servers may have a class for their responses, too, and a
 * look among 2000 modules takes 0.9 ms.
 */
const MAX_LOOKS = 50

/** Where Express 4 and 5 keep the class of their layers, and hapi that of its requests. */
const EXPRESS_LAYER = /[\\/](?:lib[\\/]router|router[\\/]lib)[\\/]layer\.js$/
const HAPI_REQUEST = /[\\/]hapi[\\/]lib[\\/]request\.js$/

/**
 * Lets requests that a program hands to its framework itself run in their lane: those of `light-my-request`, of
 * `hapi.inject()`, of `serverless-http`. No server sees them, but each has a response of a class of its own. When an object
 * of such a class is made, Express and hapi are looked up among the modules that are loaded.
 *
 * @returns what decides their lanes
 */
export function hookInjectedRequests(
  options: IngressOptions,
  on: (part: string) => boolean,
  guard: Guard,
): DecidesInjected {
  const ingress = createIngress('LANEWAY', options)
  const hooked = new Set<object>()
  const decide = (request: object) =>
    on('ingress') ? guard.attempt('inject', () => decideInjected(ingress, request)) : undefined

  function adopt(name: string, prototype: unknown, change: (owner: object) => void): void {
    if (!on(name) || typeof prototype !== 'object' || prototype === null || hooked.has(prototype)) return
    hooked.add(prototype)
    guard.attempt(name, () => change(prototype))
  }

  if (on('ingress')) {
    let looks = 0
    watchEmitterClasses(prototype => {
      if (!(prototype instanceof ServerResponse)) return false
      for (const layer of loadedModules(EXPRESS_LAYER)) {
        adopt('express', Object(layer).prototype, owner => guardExpressClass(owner, decide))
      }
      for (const request of loadedModules(HAPI_REQUEST)) {
        adopt('hapi', Object(request).prototype, owner => runInDecidedLane(owner, decide))
      }
      return ++looks < MAX_LOOKS
    })
  }
  return decide
}

/** For the diagnosis: where an injected request runs in its lane. */
export function seesInjected(on: (part: string) => boolean): string {
  const frameworks = on('ingress') ? ['express', 'fastify', 'hapi', 'koa'].filter(on) : []
  return `lane of ${frameworks.join(', ') || 'none'}; no lane behind others, nor of express and hapi in a bundle`
}

/** The whole life of a request of hapi. */
function runInDecidedLane(owner: object, decide: DecidesInjected): void {
  if (!owns(owner, '_execute')) return
  const prototype = owner as { _execute(this: HapiRequest, ...args: unknown[]): unknown }
  const { _execute } = prototype
  prototype._execute = function (this: HapiRequest, ...args) {
    const { req, res } = this.raw
    const decision = decide(req)
    if (decision === undefined) return Reflect.apply(_execute, this, args)
    return runRequest(decision, req, res, Reflect.apply, _execute, this, args)
  }
}

interface HapiRequest {
  readonly raw: { readonly req: IngressRequest & Emitter; readonly res: Emitter }
}
