/** A whole prefix that belongs to other services. */
export default {
  library: '@fastify/http-proxy',
  full: true,
  use: 'getUpstream, preHandler',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `${number}` } : {}),
  async service({ require, laneway, targetOf, note }) {
    const app = require('fastify')()
    if (laneway !== undefined) await app.register(laneway.fastify)
    const { Agent } = require('undici')
    await app.register(require('@fastify/http-proxy'), {
      upstream: '',
      undici: laneway === undefined ? {} : laneway.dispatcher(new Agent()),
      preHandler: async request => note(request, 'preHandler'),
      replyOptions: {
        getUpstream: targetOf,
        onResponse(request, reply, res) {
          note(request, 'onResponse')
          reply.send(res.stream ?? res)
        },
      },
    })
    await app.ready()
    return { server: app.server, laned: true, close: () => app.close() }
  },
}
