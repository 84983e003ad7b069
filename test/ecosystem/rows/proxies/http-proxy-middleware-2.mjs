/** A gateway that has read the body, and writes it again into the request it passes on. */
export default {
  library: 'hpm2',
  full: true,
  use: 'fixRequestBody behind express.json()',
  explicit: true,
  request: body,
  async service({ require, agent, urls, targetOf }) {
    const express = require('express4')
    const { createProxyMiddleware, fixRequestBody } = require('hpm2')
    const app = express()
    app.use(express.json())
    app.use(
      createProxyMiddleware({
        target: urls.service,
        router: targetOf,
        agent: agent(),
        logLevel: 'silent',
        onProxyReq: fixRequestBody,
      }),
    )
    return app
  },
}

function body(number) {
  if (number % 2 === 0) return {}
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ number }) }
}
