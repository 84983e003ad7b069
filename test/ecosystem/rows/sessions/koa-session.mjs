import { promisify } from 'node:util'
import { appRows } from '../../shapes/app.mjs'

/** The store wraps callbacks of redis 3 into promises, as most do. */
export default appRows({
  library: 'koa-session',
  use: 'middlewares behind a store of redis 3',
  needs: ['redis'],
  request: number => ({ headers: { cookie: `sid=koa-${number}` } }),
  async build({ resources, require }, ask) {
    const { default: Koa } = await import('koa')
    const { createSession } = await import('koa-session').then(module => ({
      createSession: module.createSession ?? module.default,
    }))
    const client = require('redis3').createClient(resources.redis.url)
    const run = promisify(client.send_command).bind(client)
    const store = {
      get: async key => JSON.parse((await run('GET', [`koa:${key}`])) ?? 'null'),
      set: (key, session) => run('SET', [`koa:${key}`, JSON.stringify(session)]),
      destroy: key => run('DEL', [`koa:${key}`]),
    }
    for (let number = 0; number < 40; number++) {
      await store.set(`koa-${number}`, { user: `user ${number}`, _expire: Date.now() + 600_000, _maxAge: 600_000 })
    }
    const app = new Koa()
    app.use(createSession({ key: 'sid', store, signed: false }, app))
    app.use(async (ctx, next) => {
      ctx.state.seen = await ask(ctx.req, 'middleware')
      await next()
      ctx.body.push(await ask(ctx.req, 'after'))
    })
    app.use(async ctx => {
      ctx.body = [ctx.session.user, ctx.state.seen, await ask(ctx.req, 'handler')]
    })
    return { handler: app.callback(), close: promisify(client.quit).bind(client) }
  },
})
