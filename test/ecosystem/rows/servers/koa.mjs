import { createAsk } from '../../shapes/ask.mjs'

export default {
  library: 'koa',
  use: 'middlewares around a handler, its error listener',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `${number}` } : {}),
  async service(kit) {
    const { default: Koa } = await import('koa')
    const ask = createAsk(kit)
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      const seen = [await ask(ctx.headers, 'before')]
      try {
        await next()
      } catch (error) {
        ctx.status = 409
        ctx.body = error.message
      }
      ctx.body = [...seen, ctx.body, await ask(ctx.headers, 'after', true)]
    })
    app.use(async ctx => {
      let body = ''
      for await (const chunk of ctx.req) body += chunk
      const seen = await ask(ctx.headers, 'handler')
      if (Number(ctx.headers['x-id']) % 5 === 0) throw new Error('refused')
      ctx.body = { body, seen }
    })
    return app.callback()
  },
}
