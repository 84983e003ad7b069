import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import {
  createIngress,
  type Emitter,
  guardFastifyLayers,
  type IngressDecision,
  type IngressOptions,
  type IngressRequest,
  runRequest,
} from '@laneway/core'
import type { Guard } from './guard.js'

type OnRequest = (request: { raw: IngressRequest & Emitter }, reply: { raw: Emitter }, done: () => void) => void

interface FastifyLike {
  addHook(name: 'onRequest', hook: OnRequest): unknown
}

/**
 * `fastify.inject()` reaches the routes without any server: its requests are told by their made-up socket. Hooks and
 * handlers of every instance run in the lane of their request, whoever called them.
 */
export function hookFastify(options: IngressOptions, guard: Guard): void {
  const ingress = createIngress('LANEWAY', options)
  subscribe('fastify.initialization', message => {
    guard.attempt('fastify', () => {
      const { fastify } = message as { fastify: FastifyLike }
      fastify.addHook('onRequest', function laneOnRequest(request, reply, done) {
        if (request.raw.socket instanceof Socket) {
          done()
          return
        }
        let decision: IngressDecision | undefined
        guard.attempt('fastify', () => {
          decision = ingress(request.raw)
        })
        if (decision === undefined) done()
        else runRequest(decision, request.raw, reply.raw, done)
      })
      guardFastifyLayers(fastify)
    })
  })
}
