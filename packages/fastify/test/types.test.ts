import type { Lane } from '@laneway/core'
import defaultExport, { type FastifyLaneOptions, fastifyLane } from '@laneway/fastify'
import fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'

// Checked by the compiler; the running test only proves that the lines are code.
t.test('the types say what the plugin does', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(fastifyLane)
  await app.register(fastifyLane, { trust: 'edge', ownLane: 'ignore', header: 'x-lane' })
  await app.register(fastifyLane, { trust: request => request.socket.remoteAddress === '10.0.0.1' })
  const options: FastifyLaneOptions = { rules: () => undefined, formats: ['header', 'baggage', 'mse-baggage'] }
  await app.register(defaultExport, options)
  t.equal(defaultExport, fastifyLane)

  const secure = fastify({ http2: true })
  t.teardown(() => secure.close())
  await secure.register(fastifyLane)
  secure.get('/', async request => request.lane?.header)

  const read = (request: FastifyRequest): string | undefined => {
    const lane: Lane | undefined = request.lane
    // @ts-expect-error: a request may have no lane
    request.lane.header
    // @ts-expect-error: a lane is frozen
    if (lane !== undefined) lane.header = 'blue'
    return request.lane?.header
  }
  t.throws(() => read({} as FastifyRequest), TypeError)

  const refused = [
    // @ts-expect-error: not one of the values of trust
    async () => void (await fastify().register(fastifyLane, { trust: 'public' })),
    // @ts-expect-error: not an option
    async () => void (await fastify().register(fastifyLane, { thrust: 'edge' })),
    // @ts-expect-error: not a format
    async () => void (await fastify().register(fastifyLane, { formats: ['headers'] })),
  ]
  for (const call of refused) await t.rejects(call, { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('loaders get the plugin from a module as a whole', async t => {
  const module = await import('@laneway/fastify')
  for (const plugin of [module, module.default] as never[]) {
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(plugin)
    t.ok(app.hasRequestDecorator('lane'))
  }
})
