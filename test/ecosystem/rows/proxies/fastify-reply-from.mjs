/** A route that answers with what another service says, through undici. */
export default {
  library: '@fastify/reply-from',
  use: 'through undici',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `${number}` } : {}),
  async service({ require, laneway, targetOf }) {
    const app = require('fastify')()
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    if (laneway !== undefined) await app.register(laneway.fastify)
    const { Agent } = require('undici')
    await app.register(require('@fastify/reply-from'), {
      undici: laneway === undefined ? { connections: 4 } : laneway.dispatcher(new Agent({ connections: 4 })),
    })
    app.all('/*', (request, reply) => {
      reply.from(`${targetOf(request)}${request.url}`, {
        rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-gateway': 'b' }),
      })
    })
    await app.ready()
    return { server: app.server, laned: true, close: () => app.close() }
  },
}
