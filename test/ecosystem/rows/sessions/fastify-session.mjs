import { promisify } from 'node:util'
import { appRows } from '../../shapes/app.mjs'
import { fill, SECRET, withCookie } from '../../shapes/session.mjs'

/** The store of connect-redis 6, whose answers are callbacks of redis 3. */
export default appRows({
  library: '@fastify/session',
  use: 'hooks and handler behind connect-redis 6',
  needs: ['redis'],
  request: withCookie,
  async build({ require, resources, laneway }, ask) {
    const client = require('redis3').createClient(resources.redis.url)
    const RedisStore = require('connect-redis6')(require('express-session'))
    const store = new RedisStore({ client, prefix: 'fastify:' })
    await fill(store)
    if (laneway !== undefined) {
      const { get } = store
      store.get = (id, done) => get.call(store, id, laneway.bindLane(done))
    }
    const app = require('fastify')()
    if (laneway !== undefined) await app.register(laneway.fastify)
    await app.register(require('@fastify/cookie'))
    await app.register(require('@fastify/session'), {
      store,
      secret: SECRET,
      cookieName: 'sid',
      cookiePrefix: 's:',
      cookie: { secure: false },
      saveUninitialized: false,
      rolling: false,
    })
    app.addHook('preHandler', async request => {
      request.seen = await ask(request, 'preHandler')
    })
    app.get('/*', async request => [request.session.get('user'), request.seen, await ask(request, 'handler')])
    await app.ready()
    const close = () => Promise.all([app.close(), promisify(client.quit).call(client)])
    return { handler: (req, res) => app.routing(req, res), close }
  },
})
