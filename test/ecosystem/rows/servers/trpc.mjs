import { createAsk } from '../../shapes/ask.mjs'

/** Three procedures in one request, which the server runs at the same time. */
export default {
  library: '@trpc/server',
  use: 'a batch of procedures behind a middleware',
  explicit: true,
  concurrent: true,
  request: number => ({ path: `/one,two,three?batch=1&input=%7B%7D&id-${number}` }),
  async service(kit) {
    const { initTRPC } = await import('@trpc/server')
    const { createHTTPHandler } = await import('@trpc/server/adapters/standalone')
    const ask = createAsk(kit)
    const trpc = initTRPC.context().create()
    const procedure = trpc.procedure.use(async ({ ctx, path, next }) => {
      await ask(ctx.headers, `middleware-${path}`)
      return next()
    })
    const run = form => procedure.query(({ ctx }) => ask(ctx.headers, form, form === 'two'))
    const router = trpc.router({ one: run('one'), two: run('two'), three: run('three') })
    return createHTTPHandler({ router, createContext: ({ req }) => ({ headers: req.headers }) })
  },
}
