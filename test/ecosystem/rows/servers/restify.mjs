import { createAsk } from '../../shapes/ask.mjs'

export default {
  library: 'restify',
  use: 'pre, use, a chain with callbacks, a handler',
  explicit: true,
  async service(kit) {
    const restify = kit.require('restify')
    const ask = createAsk(kit)
    const server = restify.createServer()
    const step = form => (req, _res, next) => {
      ask(req.headers, form).then(() => next(), next)
    }
    server.pre(step('pre'))
    server.use(restify.plugins.queryParser(), step('use'))
    server.get('/*', step('chain'), async (req, res) => {
      res.json({ seen: await ask(req.headers, 'handler', true) })
    })
    return { server: server.server, close: () => {} }
  },
}
