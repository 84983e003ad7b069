import { promisify } from 'node:util'
import { appRows } from '../../shapes/app.mjs'

/** Middlewares, a router, a parameter and the error handler, each behind a callback of redis 3. */
export default appRows({
  library: 'express',
  use: 'layers behind callbacks of redis 3',
  needs: ['redis'],
  async build({ require, resources, laneway }, ask) {
    const express = require('express')
    const client = require('redis3').createClient(resources.redis.url)
    await promisify(client.echo).call(client, 'open')
    const app = express()
    const behind = (_req, _res, next) => client.echo('one', error => next(error))
    // The packages know no drivers: the adapter behind each brings the lane back.
    const again = laneway?.express() ?? ((_req, _res, next) => next())
    const layer = form => (req, _res, next) => {
      ask(req, form).then(body => {
        req.seen = [...(req.seen ?? []), body]
        next()
      }, next)
    }
    const router = express.Router()
    router.use(behind, again, layer('router'))
    router.param('name', (_req, _res, next) => client.echo('two', error => next(error)))
    router.get('/:name', again, layer('route'), (req, _res, next) => {
      client.echo('three', () => next(Object.assign(new Error('refused'), { seen: req.seen })))
    })
    app.use(behind, again, layer('middleware'), router)
    if (laneway !== undefined) app.use((error, req, res, next) => again(req, res, () => next(error)))
    app.use(async (error, req, res, _next) => {
      res.status(409).json([error.message, error.seen, await ask(req, 'error')])
    })
    return { handler: app, close: promisify(client.quit).bind(client) }
  },
})
