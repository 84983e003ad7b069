import type { AddressInfo } from 'node:net'
import { fastifyLane } from '@laneway/fastify'
import { type IngressAdapter, ingressSuite, overSocket, type SuiteTarget } from '@laneway/testkit'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { generations } from './generations.js'

type Serve = IngressAdapter['serve']

for (const { name, fastify } of generations) {
  const create = () => fastify({ http: { insecureHTTPParser: true } } as object) as unknown as FastifyInstance
  const root: Serve = async (t, options, handler) => {
    const app = create()
    await app.register(fastifyLane, options)
    route(app, handler)
    return overSocket(await start(t, app))
  }
  const nested: Serve = async (t, options, handler) => {
    const app = create()
    await app.register(async outer => {
      await outer.register(fastifyLane, options)
      await outer.register(async inner => route(inner, handler))
    })
    return overSocket(await start(t, app))
  }
  const injected: Serve = async (t, options, handler) => {
    const app = create()
    await app.register(fastifyLane, options)
    route(app, handler)
    t.teardown(() => app.close())
    return overInject(app)
  }
  t.test(`${name}, the root`, t => ingressSuite(t, { name: `${name}, the root`, serve: root }))
  t.test(`${name}, a nested plugin`, t => ingressSuite(t, { name: `${name}, a nested plugin`, serve: nested }))
  t.test(`${name}, inject()`, t =>
    ingressSuite(t, {
      name: `${name}, inject()`,
      serve: injected,
      cannotSend: lines => (name === 'Fastify 4' && lines.length > 1 ? 'its inject() joins lines' : undefined),
    }),
  )
}

function route(app: FastifyInstance, handler: Parameters<Serve>[2]): void {
  app.all('*', async (request, reply) => {
    const body = async () => (request.body ?? '') as string
    const value = await handler({ request: request.raw, response: reply.raw, lane: request.lane, body })
    return reply.type('application/json').send(JSON.stringify(value))
  })
}

async function start(t: Parameters<Serve>[0], app: FastifyInstance): Promise<number> {
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function overInject(app: FastifyInstance): SuiteTarget {
  return {
    async send({ method = 'GET', path = '/', headers, body }) {
      const lines: Record<string, string | string[]> = {}
      for (const [name, value] of headers) {
        const before = lines[name]
        lines[name] = before === undefined ? value : [before, value].flat()
      }
      if (body !== undefined) lines['content-type'] = 'text/plain'
      const response = await app.inject({ url: path, method, headers: lines, ...(body === undefined ? {} : { body }) })
      return {
        status: response.statusCode,
        body: response.body,
        whole: JSON.stringify(response.headers) + response.body,
      }
    },
  }
}
