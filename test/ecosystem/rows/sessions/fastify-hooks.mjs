import { promisify } from 'node:util'
import { appRows } from '../../shapes/app.mjs'

const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend']

/** Every hook asks redis 3 and goes on from its callback; the one behind it, the handler and the error handler call. */
export default appRows({
  library: 'fastify',
  use: 'hooks, handler, error handler behind callbacks of redis 3',
  needs: ['redis'],
  async build({ require, resources, laneway }, ask) {
    const client = require('redis3').createClient(resources.redis.url)
    await promisify(client.echo).call(client, 'open')
    const app = require('fastify')()
    if (laneway !== undefined) await app.register(laneway.fastify)
    // The packages know no drivers: a callback is bound by hand.
    const bind = laneway?.bindLane ?? (fn => fn)
    for (const hook of HOOKS) {
      // The payload, where a hook has one, goes on as it is.
      const add = run =>
        app.addHook(hook, /^preP|^preS|^onSend/.test(hook) ? (a, b, _p, d) => run(a, b, d) : (a, b, d) => run(a, b, d))
      add((_request, _reply, done) =>
        client.echo(
          'one',
          bind(() => done()),
        ),
      )
      add((request, _reply, done) => {
        ask(request, hook).then(body => {
          request.seen = [...(request.seen ?? []), body]
          done()
        }, done)
      })
    }
    app.get('/*', async (request, reply) => {
      const handler = await ask(request, 'handler')
      if (Number(request.headers['x-id']) % 4 === 0) throw Object.assign(new Error('refused'), { statusCode: 409 })
      reply.header('x-seen', String(request.seen.length))
      return { handler, later: await ask(request, 'later') }
    })
    app.setErrorHandler(async (error, request, reply) => {
      reply.code(error.statusCode ?? 500)
      return { error: error.message, body: await ask(request, 'error') }
    })
    await app.ready()
    const close = () => Promise.all([app.close(), promisify(client.quit).call(client)])
    return { handler: (req, res) => app.routing(req, res), close }
  },
})
