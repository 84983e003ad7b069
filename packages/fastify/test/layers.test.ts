import type { AddressInfo } from 'node:net'
import { currentLane } from '@laneway/core'
import { fastifyLane } from '@laneway/fastify'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { generations } from './generations.js'

const lane = () => currentLane()?.header ?? 'none'
const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue']
const EXPECTED = LANES.map(tag => tag ?? 'none')

/** Behind a queue that all requests share: the last to come goes on for all, in its own context. */
function sharedQueue(): (goOn: () => void) => void {
  const waiting: (() => void)[] = []
  return goOn => {
    waiting.push(goOn)
    if (waiting.length === LANES.length) for (const one of waiting.splice(0)) one()
  }
}

async function ask(t: Test, app: FastifyInstance, path = '/'): Promise<string[]> {
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return Promise.all(
    LANES.map(async tag => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: tag ? { 'x-mse-tag': tag } : {} })
      return answer.text()
    }),
  )
}

for (const { name, fastify } of generations) {
  const create = async () => {
    const app = fastify() as unknown as FastifyInstance
    await app.register(fastifyLane)
    return app
  }

  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
    t.test(`${name}: the hooks of the same phase and the handler are in the lane behind ${hook}`, async t => {
      const app = await create()
      const queue = sharedQueue()
      const seen = new WeakMap<object, string>()
      app.addHook(hook as 'onRequest', (_request, _reply, ...rest) => queue(() => (rest.at(-1) as () => void)()))
      app.addHook(hook as 'onRequest', async request => {
        seen.set(request, lane())
      })
      app.get('/', async request => `${seen.get(request)} ${lane()}`)
      t.strictSame(
        await ask(t, app),
        EXPECTED.map(one => `${one} ${one}`),
      )
    })
  }

  t.test(`${name}: so are hooks of a route, and those of a plugin`, async t => {
    const app = await create()
    await app.register(async plugin => {
      const queue = sharedQueue()
      plugin.addHook('preHandler', (_request, _reply, done) => queue(done))
      const seen = new WeakMap<object, string>()
      const see = async (request: object) => void seen.set(request, lane())
      plugin.get('/', { preHandler: [see] }, async request => `${seen.get(request)} ${lane()}`)
    })
    t.strictSame(
      await ask(t, app),
      EXPECTED.map(one => `${one} ${one}`),
    )
  })

  t.test(`${name}: so are error handlers, of the instance and of a route, and the one for unknown paths`, async t => {
    for (const path of ['/instance', '/route', '/unknown']) {
      const app = await create()
      const queue = sharedQueue()
      const queued = {
        preHandler: (_request: unknown, _reply: unknown, done: (error?: Error) => void) =>
          queue(() => done(new Error('expected'))),
      }
      app.setErrorHandler((_error, _request, reply) => void reply.send(lane()))
      app.setNotFoundHandler({ preHandler: (_request, _reply, done) => queue(done) }, (_request, reply) => {
        void reply.send(lane())
      })
      app.get('/instance', queued, async () => 'not reached')
      app.get(
        '/route',
        { ...queued, errorHandler: (_error, _request, reply) => void reply.send(lane()) },
        async () => 'not reached',
      )
      t.strictSame(await ask(t, app, path), EXPECTED, path)
    }
  })

  t.test(`${name}: a hook or handler that Fastify refuses is refused as before`, async t => {
    const app = await create()
    const twice = async (_request: unknown, _reply: unknown, _done: unknown) => {}
    t.throws(() => app.addHook('onRequest', twice as never), { code: 'FST_ERR_HOOK_INVALID_ASYNC_HANDLER' })
    t.throws(() => app.addHook('onSend', (async (_a: 1, _b: 1, _c: 1, _d: 1) => {}) as never), {
      code: 'FST_ERR_HOOK_INVALID_ASYNC_HANDLER',
    })
    await app.close()
  })
}
