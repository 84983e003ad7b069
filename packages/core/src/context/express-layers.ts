import { type DecidesInjected, guardLayer } from './request-layer.js'

/** What Express 4 and 5 call a handler with, and which argument is the request. */
const METHODS: readonly [name: string, request: number][] = [
  ['handle_request', 0],
  ['handleRequest', 0],
  ['handle_error', 1],
  ['handleError', 1],
]

/** Registered, because two copies of this package may meet one Express. */
const kGuarded = Symbol.for('laneway.express.layers')

interface Router {
  readonly stack?: readonly { readonly handle?: Router; readonly route?: Router }[]
}

const known = new WeakSet<object>()
let latest: unknown

/**
 * Makes every handler of an Express application run in the lane of its request, also behind a middleware that calls
 * `next` in another context. The application is found through the request, when Express has handled it for the first
 * time; another framework's request changes nothing. Never throws.
 *
 * @param injected - decides requests that come without a server
 */
export function guardExpressLayers(request: object, injected?: DecidesInjected): void {
  const { app } = request as { app?: unknown }
  if (app === latest || typeof app !== 'function') return
  latest = app
  if (known.has(app)) return
  try {
    if (guardRouter(routerOf(app), injected)) known.add(app)
  } catch {
    // An application that forbids it stays as it is.
    known.add(app)
  }
}

function routerOf(app: object): Router | undefined {
  const { _router } = app as { _router?: Router }
  if (_router !== undefined) return _router
  try {
    return (app as { router?: Router }).router
  } catch {
    // Express 4 throws here, by way of a deprecation.
    return undefined
  }
}

/** @returns whether there was a layer to learn the class from */
function guardRouter(router: Router | undefined, injected: DecidesInjected | undefined): boolean {
  const stack = router?.stack
  if (!Array.isArray(stack)) return false
  for (const layer of stack) {
    guardExpressClass(Object.getPrototypeOf(layer), injected)
    // A router of another copy of Express has a class of its own.
    guardRouter(layer.handle, injected)
    guardRouter(layer.route, injected)
  }
  return stack.length > 0
}

/** The same for the class of the layers, where that is at hand. */
export function guardExpressClass(prototype: object, injected?: DecidesInjected): void {
  if (Object.hasOwn(prototype, kGuarded)) return
  Object.defineProperty(prototype, kGuarded, { value: true })
  for (const [name, index] of METHODS) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
    if (typeof descriptor?.value !== 'function') continue
    const value = guardLayer(descriptor.value, args => args[index], injected)
    Object.defineProperty(prototype, name, { ...descriptor, value })
  }
}
