import { createAsk } from '../../shapes/ask.mjs'

export default {
  library: 'hono',
  use: 'a middleware, a handler, a streamed answer, @hono/node-server',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `${number}` } : {}),
  async service(kit) {
    const { Hono } = await import('hono')
    const { streamText } = await import('hono/streaming')
    const { createAdaptorServer } = await import('@hono/node-server')
    const ask = createAsk(kit)
    const app = new Hono()
    app.use(async (context, next) => {
      await ask(context.req.header(), 'middleware')
      await next()
    })
    app.all('*', async context => {
      const headers = context.req.header()
      const body = await context.req.text()
      const seen = await ask(headers, 'handler', true)
      return streamText(context, async stream => {
        await stream.writeln(`${body} ${seen}`)
        await stream.writeln(await ask(headers, 'stream'))
      })
    })
    return createAdaptorServer({ fetch: app.fetch })
  },
}
