import { createAsk } from '../../shapes/ask.mjs'

export default {
  library: 'h3',
  use: 'a middleware and a handler',
  explicit: true,
  async service(kit) {
    const { H3 } = await import('h3')
    const { toNodeHandler } = await import('h3/node')
    const ask = createAsk(kit)
    const app = new H3()
    app.use(async (event, next) => {
      const seen = await ask(Object.fromEntries(event.req.headers), 'middleware')
      return [seen, await next()]
    })
    app.get('/**', event => ask(Object.fromEntries(event.req.headers), 'handler', true))
    return toNodeHandler(app)
  },
}
