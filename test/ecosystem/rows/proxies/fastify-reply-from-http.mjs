/** A route that answers with what another service says, through node:http. */
export default {
  library: '@fastify/reply-from',
  use: 'through node:http, retries',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, headers: { 'retry-after': '0' }, body: 'busy' } : undefined),
  async service({ require, laneway, agent, targetOf }) {
    const app = require('fastify')()
    if (laneway !== undefined) await app.register(laneway.fastify)
    const pool = agent({ keepAlive: true, maxSockets: 4 })
    await app.register(require('@fastify/reply-from'), {
      http: { agents: { 'http:': pool, 'https:': new (require('node:https').Agent)() } },
      retryMethods: ['GET'],
    })
    app.get('/*', (request, reply) => reply.from(`${targetOf(request)}${request.url}`, { retriesCount: 2 }))
    await app.ready()
    return { server: app.server, laned: true, close: () => app.close() }
  },
}
