import type { Guard } from '../guard.js'
import { owns } from './emitter-classes.js'
import { createLaneMethods, inLaneOfCaller } from './lane-methods.js'
import { loadedModules } from './loaded-modules.js'

/** Where NestJS up to 11 keeps the base class of its clients, as CommonJS. */
const CLIENT_PROXY = /[\\/]@nestjs[\\/]microservices[\\/](?:dist[\\/])?client[\\/]client-proxy\.js$/

/**
 * Lets what follows `client.send()` in a pipe run in the lane of its subscriber: replies arrive on a connection that
 * requests share. The class is no emitter and has no file of its own in a bundle, so it is looked up among the modules
 * that are loaded when a server listens.
 */
export function hookNestClients(guard: Guard): void {
  for (const exported of loadedModules(CLIENT_PROXY)) {
    guard.attempt('nest', () => {
      const { ClientProxy } = Object(exported) as { ClientProxy?: { prototype: object } }
      const prototype = ClientProxy?.prototype
      if (prototype === undefined || hooked.has(prototype) || !owns(prototype, 'createObserver', 'send')) return
      hooked.add(prototype)
      createLaneMethods('nest', guard).results(prototype, 'createObserver', inLaneOfCaller as never)
    })
  }
}

const hooked = new WeakSet<object>()
