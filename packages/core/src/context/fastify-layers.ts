import { guardLayer } from './request-layer.js'

type Callable = (this: any, ...args: any[]) => any

interface FastifyInstance {
  addHook: Callable
  setErrorHandler: Callable
  setNotFoundHandler: Callable
}

/** The hooks of a request, and what Fastify says of an async one with so many parameters: that it takes a callback too. */
const HOOKS: ReadonlyMap<unknown, (parameters: number) => boolean> = new Map([
  ...['onRequest', 'preValidation', 'preHandler', 'onResponse', 'onTimeout'].map(name => [name, is(3)] as const),
  ...['preParsing', 'preSerialization', 'onSend', 'onError'].map(name => [name, is(4)] as const),
  ['onRequestAbort', (parameters: number) => parameters !== 1],
])

function is(count: number): (parameters: number) => boolean {
  return parameters => parameters === count
}

const kGuarded = Symbol.for('laneway.fastify.layers')

/**
 * Makes hooks, handlers and error handlers that are added from now on to a Fastify instance and its children run in the
 * lane of their request, also behind a hook that calls `done` in another context.
 */
export function guardFastifyLayers(instance: object): void {
  if (kGuarded in instance) return
  Object.defineProperty(instance, kGuarded, { value: true })
  const fastify = instance as FastifyInstance
  const { addHook, setErrorHandler, setNotFoundHandler } = fastify
  // Not an instance of Fastify, but what has its hooks alone.
  if (setErrorHandler === undefined || setNotFoundHandler === undefined) return
  fastify.addHook = like(addHook, function (this: unknown, name: unknown, hook: unknown, ...rest: unknown[]) {
    return addHook.call(this, name, guardedHook(name, hook), ...rest)
  })
  fastify.setErrorHandler = like(setErrorHandler, function (this: unknown, handler: unknown, ...rest: unknown[]) {
    return setErrorHandler.call(this, guarded(handler, second), ...rest)
  })
  fastify.setNotFoundHandler = like(setNotFoundHandler, function (this: unknown, ...args: unknown[]) {
    return setNotFoundHandler.apply(
      this,
      args.map(one => (typeof one === 'object' && one !== null ? guardOptions({ ...one }) : guarded(one, first))),
    )
  })
  addHook.call(instance, 'onRoute', guardOptions)
}

/** The options of a route, which Fastify has copied for itself. */
function guardOptions(options: Record<string, unknown>): Record<string, unknown> {
  for (const hook of HOOKS.keys() as Iterable<string>) {
    const given = options[hook]
    if (Array.isArray(given)) options[hook] = given.map(one => guardedHook(hook, one))
    else if (given !== undefined) options[hook] = guardedHook(hook, given)
  }
  if (options['handler'] !== undefined) options['handler'] = guarded(options['handler'], first)
  if (options['errorHandler'] !== undefined) options['errorHandler'] = guarded(options['errorHandler'], second)
  return options
}

const first = ([request]: readonly any[]) => request?.raw
const second = ([, request]: readonly any[]) => request?.raw

function guardedHook(name: unknown, hook: unknown): unknown {
  const refused = HOOKS.get(name)
  if (refused === undefined || typeof hook !== 'function') return hook
  // Fastify shall see what it refuses; it tells async functions by their class.
  return hook.constructor.name === 'AsyncFunction' && refused(hook.length) ? hook : guardLayer(hook as Callable, first)
}

function guarded(layer: unknown, requestOf: (args: readonly any[]) => unknown): unknown {
  return typeof layer === 'function' ? guardLayer(layer as Callable, requestOf) : layer
}

function like(original: Callable, replacement: Callable): Callable {
  for (const key of ['name', 'length']) {
    Object.defineProperty(replacement, key, Object.getOwnPropertyDescriptor(original, key)!)
  }
  return replacement
}
