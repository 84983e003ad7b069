import { createAsk } from '../../shapes/ask.mjs'
import { flat, injectRow } from '../../shapes/inject.mjs'

export default injectRow({
  library: 'fastify',
  use: 'app.inject(), a hook and a handler',
  explicit: true,
  async build(kit) {
    const app = kit.require('fastify')()
    const ask = createAsk(kit)
    if (kit.laneway !== undefined) await app.register(kit.laneway.fastify)
    app.addHook('preHandler', async request => {
      request.seen = await ask(request.headers, 'preHandler')
    })
    app.get('/*', async request => [request.seen, await ask(request.headers, 'handler', true)])
    return {
      async inject({ method, path, headers }) {
        const answer = await app.inject({ method, url: path, headers })
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.payload }
      },
      close: () => app.close(),
    }
  },
})
