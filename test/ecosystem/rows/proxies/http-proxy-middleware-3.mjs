/** A gateway that has read the body, writes it again, and names itself to the service behind it. */
export default {
  library: 'hpm3',
  use: 'proxyReq header and fixRequestBody',
  explicit: true,
  request: body,
  async service({ require, agent, urls, targetOf, note }) {
    const express = require('express')
    const { createProxyMiddleware, fixRequestBody } = require('hpm3')
    const app = express()
    app.use(express.json())
    app.use(
      createProxyMiddleware({
        target: urls.service,
        changeOrigin: true,
        router: targetOf,
        agent: agent(),
        on: {
          proxyReq(proxyReq, req) {
            note(req, 'proxyReq')
            proxyReq.setHeader('x-gateway', 'b')
            fixRequestBody(proxyReq, req)
          },
          proxyRes: (_proxyRes, req) => note(req, 'proxyRes'),
        },
      }),
    )
    return app
  },
}

function body(number) {
  if (number % 2 === 0) return {}
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ number }) }
}
