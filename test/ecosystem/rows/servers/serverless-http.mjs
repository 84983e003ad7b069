import { createAsk } from '../../shapes/ask.mjs'
import { flat, injectRow } from '../../shapes/inject.mjs'

/** The event of an internal load balancer in front of a function. */
const eventOf = ({ method, path, headers }) => ({
  version: '2.0',
  rawPath: path,
  rawQueryString: '',
  headers,
  requestContext: { http: { method, path, sourceIp: '10.0.0.7' } },
  isBase64Encoded: false,
})

export default injectRow({
  library: 'serverless-http',
  use: 'an Express app in a function',
  explicit: true,
  async build(kit) {
    const express = kit.require('express')
    const serverless = kit.require('serverless-http')
    const ask = createAsk(kit)
    const app = express()
    if (kit.laneway !== undefined) app.use(kit.laneway.express())
    app.use(async (req, res) => {
      res.json([await ask(req.headers, 'handler'), await ask(req.headers, 'later', true)])
    })
    const handler = serverless(app)
    return {
      async inject(request) {
        const answer = await handler(eventOf(request), {})
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.body }
      },
    }
  },
})
