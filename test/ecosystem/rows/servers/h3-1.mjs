import { createAsk } from '../../shapes/ask.mjs'

export default {
  library: 'h31',
  full: true,
  use: 'a middleware, a handler, hooks of the app',
  explicit: true,
  async service(kit) {
    const { createApp, eventHandler, toNodeListener } = kit.require('h31')
    const ask = createAsk(kit)
    const app = createApp({
      onRequest: event => ask(event.node.req.headers, 'onRequest'),
      onBeforeResponse: event => ask(event.node.req.headers, 'onBeforeResponse'),
    })
    app.use(
      eventHandler(async event => {
        event.context.seen = await ask(event.node.req.headers, 'middleware')
      }),
    )
    app.use(eventHandler(async event => ({ seen: await ask(event.node.req.headers, 'handler', true) })))
    return toNodeListener(app)
  },
}
