import { createAsk } from '../../shapes/ask.mjs'
import { flat, injectRow } from '../../shapes/inject.mjs'

export default injectRow({
  library: 'light-my-request',
  use: 'into an Express app',
  explicit: true,
  // It replaces the prototypes of Express for the whole process.
  alone: true,
  async build(kit) {
    const express = kit.require('express')
    const inject = kit.require('light-my-request')
    const ask = createAsk(kit)
    const app = express()
    if (kit.laneway !== undefined) app.use(kit.laneway.express())
    app.use(async (req, res) => {
      res.json([await ask(req.headers, 'handler'), await ask(req.headers, 'later', true)])
    })
    return {
      async inject({ method, path, headers }) {
        const answer = await inject(app, { method, url: path, headers })
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.payload }
      },
    }
  },
})
