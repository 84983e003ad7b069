// Layers behind a queue that all requests share: whoever comes first sets the timer, which goes on for all in its context.
import { createAsk } from '../../shapes/ask.mjs'

function createQueue() {
  let waiting = []
  return goOn => {
    waiting.push(goOn)
    if (waiting.length > 1) return
    setTimeout(() => {
      const all = waiting
      waiting = []
      for (const one of all) one()
    }, 5)
  }
}

const refuses = headers => Number(headers['x-id']) % 5 === 0

const expressRow = (variant, library) => ({
  variant,
  library,
  use: 'a handler and the error handler behind a shared queue',
  explicit: true,
  async service(kit) {
    const ask = createAsk(kit)
    const queue = createQueue()
    const app = kit.require(library)()
    if (kit.laneway !== undefined) app.use(kit.laneway.express())
    app.use((_req, _res, next) => queue(next))
    app.use((req, res, next) => {
      if (refuses(req.headers)) return queue(() => next(new Error('refused')))
      ask(req.headers, 'handler').then(body => res.json({ body }), next)
    })
    app.use(async ({ message }, req, res, _next) => {
      res.status(409).json([message, await ask(req.headers, 'error-handler', true)])
    })
    return { server: app, laned: true }
  },
})

export default [
  expressRow('express', 'express'),
  expressRow('express4', 'express4'),
  {
    variant: 'koa',
    library: 'koa',
    use: 'middlewares behind a shared queue',
    explicit: true,
    async service(kit) {
      const { default: Koa } = await import('koa')
      const ask = createAsk(kit)
      const queue = createQueue()
      const app = new Koa()
      // The packages know no layers of Koa: what goes on is bound by hand.
      const bind = kit.laneway?.bindLane ?? (fn => fn)
      app.use((_ctx, next) => new Promise((resolve, reject) => queue(bind(() => next().then(resolve, reject)))))
      app.use(async ctx => {
        ctx.body = [await ask(ctx.headers, 'handler'), await ask(ctx.headers, 'later', true)]
      })
      return app.callback()
    },
  },
  {
    variant: 'fastify',
    library: 'fastify',
    use: 'hooks, a handler and the error handler behind a shared queue',
    explicit: true,
    async service(kit) {
      const app = kit.require('fastify')()
      const ask = createAsk(kit)
      const queue = createQueue()
      if (kit.laneway !== undefined) await app.register(kit.laneway.fastify)
      app.addHook('onRequest', (_request, _reply, done) => queue(done))
      app.addHook('preHandler', async ({ headers }) => void (await ask(headers, 'hook')))
      app.addHook('preHandler', ({ headers }, _reply, done) =>
        queue(() => done(refuses(headers) ? new Error('refused') : undefined)),
      )
      app.setErrorHandler(async ({ message }, { headers }, reply) => {
        reply.code(409)
        return [message, await ask(headers, 'error-handler', true)]
      })
      app.all('/*', async ({ headers }) => ({ seen: await ask(headers, 'handler') }))
      await app.ready()
      return { server: app.server, laned: true, close: () => app.close() }
    },
  },
]
