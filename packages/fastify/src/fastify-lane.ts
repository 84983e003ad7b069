import { bindEmitter, type IngressOptions, type Lane } from '@laneway/core'
import {
  createIngress,
  guardFastifyLayers,
  hintAtLateMiddleware,
  isDisabled,
  needsContext,
  resolveHeaderNames,
  runListeners,
  runRequest,
} from '@laneway/core/internal'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** The lane of this request; `undefined` for base, and before the `onRequest` hook of `fastifyLane` ran. */
    lane: Lane | undefined
  }
}

/** Options of {@link fastifyLane}. */
export interface FastifyLaneOptions extends IngressOptions {}

/** On an instance that has the hooks already, inherited by its children. */
const kRegistered = Symbol.for('laneway.fastify')

const plugin: FastifyPluginAsync<FastifyLaneOptions> = async (fastify, options) => {
  if (isDisabled(['ingress', 'fastify'])) return
  const ingress = createIngress('fastifyLane', withoutRegisterOptions(options))
  if (fastify.hasDecorator(kRegistered)) return
  fastify.decorate(kRegistered, true)
  fastify.decorateRequest('lane', undefined)
  // Plugins that were registered earlier get the hooks too; routes beside the instance that registers this one do not.
  hintAtLateMiddleware(
    resolveHeaderNames('fastifyLane', options.header)[0],
    'call app.register(fastifyLane) on the root instance, not inside of a plugin',
    options.warn,
    fastify.server,
  )

  fastify.addHook('onRequest', function enterLane(request, reply, next) {
    const { raw } = request
    const decision = ingress(raw)
    request.lane = decision.lane
    // The socket of a WebSocket belongs to this request alone, and its messages to the lane.
    if ((raw as { upgrade?: boolean }).upgrade === true && needsContext(decision, raw)) {
      bindEmitter(raw.socket, decision.lane)
    }
    runRequest(decision, raw, reply.raw, next)
  })

  // These start from a timer or the socket, not from the request.
  fastify.addHook('onError', function errorInLane(request, _reply, _error, next) {
    runListeners(request.raw, next)
  })
  fastify.addHook('onTimeout', function timeoutInLane(request, _reply, next) {
    runListeners(request.raw, next)
  })
  guardFastifyLayers(fastify)
}

/** Fastify hands a plugin the options of `register` together with the plugin's own. */
function withoutRegisterOptions(options: FastifyLaneOptions): FastifyLaneOptions {
  const { prefix, logLevel, logSerializers, ...own } = options as FastifyLaneOptions & Record<string, unknown>
  return own
}

/**
 * The plugin that runs every request in its lane: later hooks, handler, serialisation, `onResponse`, the completion log.
 * Each of
 * them runs in the lane of its request, also behind a hook that calls `done` in another context. `request.lane` holds the
 * lane. For Fastify 4 and 5, HTTP/2 and `inject()` included.
 *
 * Register it first, before any hook that calls out. It is not encapsulated: all routes of the instance that registers
 * it, and of its children, are in it. Registered again it changes nothing. Under `LANEWAY_DISABLE` with `all`, `ingress` or
 * `fastify` it adds nothing.
 *
 * Fails to register with a LanewayError `LANEWAY_INVALID_OPTION` or `LANEWAY_INVALID_TAG` when the options or this
 * instance's tag are wrong. Requests never make it throw.
 */
export const fastifyLane: FastifyPluginAsync<FastifyLaneOptions> = fp(plugin, {
  name: '@laneway/fastify',
  fastify: '4.x || 5.x',
})

export default fastifyLane
