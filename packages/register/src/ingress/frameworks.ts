import { type DecidesInjected, guardLayer } from '@laneway/core/internal'
import { has, type KnownClass } from '../libraries/known-class.js'

/**
 * Frameworks whose layers belong to an emitter.
 *
 * @param injected - decides requests that come without a server
 */
export const FRAMEWORKS = (injected: DecidesInjected) =>
  ({
    koa: [
      {
        matches: has('use', 'callback', 'createContext', 'handleRequest'),
        adopt: (owner, methods) => methods.prepare(owner, 'use', args => guardKoaMiddleware(args, injected)),
      },
    ],
  }) satisfies Record<string, readonly KnownClass[]>

/** Koa 2 converts generator functions, which it recognises by their class. */
function guardKoaMiddleware(args: unknown[], injected: DecidesInjected): void {
  const [middleware] = args
  if (typeof middleware !== 'function' || middleware.constructor.name === 'GeneratorFunction') return
  args[0] = guardLayer(middleware as (...args: unknown[]) => unknown, ([context]) => context?.req, injected)
}
