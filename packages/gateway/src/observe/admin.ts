import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { EXPOSITION_TYPE } from './exposition.js'

/** What the admin port tells. */
export interface AdminView {
  readonly isReady: () => boolean
  /** Why not, for people. */
  readonly reason: () => string
  readonly metrics: () => string
}

/** The port for probes and Prometheus; never the one that the public reaches. */
export interface Admin {
  listen(): Promise<void>
  address(): AddressInfo
  close(): Promise<void>
}

/** Creates it; it serves while the gateway drains, so that its metrics are read to the end. */
export function createAdmin(options: { readonly port: number; readonly host: string }, view: AdminView): Admin {
  const app = fastify({ logger: false, forceCloseConnections: true })
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    if (view.isReady()) return { status: 'ready' }
    return reply.code(503).send({ status: 'not ready', reason: view.reason() })
  })
  app.get('/metrics', async (_request, reply) => reply.type(EXPOSITION_TYPE).send(view.metrics()))
  return {
    async listen() {
      await app.listen({ port: options.port, host: options.host })
    },
    address() {
      const address = app.server.address()
      if (address === null || typeof address === 'string') throw new Error('the admin port does not listen')
      return address
    },
    close: () => app.close(),
  }
}
