import { subscribe } from 'node:diagnostics_channel'
import type { Emitter, IngressRequest } from '@laneway/core'
import { type DecidesInjected, guardFastifyLayers, runRequest } from '@laneway/core/internal'
import type { Guard } from '../guard.js'

type OnRequest = (request: { raw: IngressRequest & Emitter }, reply: { raw: Emitter }, done: () => void) => void

interface FastifyLike {
  addHook(name: 'onRequest', hook: OnRequest): unknown
}

/**
 * `fastify.inject()` reaches the routes without any server. Hooks and handlers of every instance run in the lane of their request, whatever code calls them.
 */
export function hookFastify(injected: DecidesInjected, guard: Guard): void {
  subscribe('fastify.initialization', message => {
    guard.attempt('fastify', () => {
      const { fastify } = message as { fastify: FastifyLike }
      fastify.addHook('onRequest', function laneOnRequest(request, reply, done) {
        const decision = injected(request.raw)
        if (decision === undefined) done()
        else runRequest(decision, request.raw, reply.raw, done)
      })
      guardFastifyLayers(fastify)
    })
  })
}
