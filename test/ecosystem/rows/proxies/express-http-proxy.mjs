/** A gateway in a route of Express, with decorators on both sides. */
export default {
  library: 'express-http-proxy',
  use: 'decorators',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `{"id":${number}}` } : {}),
  async service({ require, agent, targetOf }) {
    const express = require('express4')
    const proxy = require('express-http-proxy')
    const app = express()
    const pool = agent()
    app.use(
      proxy(targetOf, {
        memoizeHost: false,
        proxyReqOptDecorator: options => {
          options.headers['x-gateway'] = 'b'
          options.agent = pool
          return options
        },
        userResDecorator: async (_proxyRes, data) => `${data} passed by b`,
      }),
    )
    return app
  },
}
