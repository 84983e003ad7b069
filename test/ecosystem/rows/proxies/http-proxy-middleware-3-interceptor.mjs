/** A gateway that changes the answers it passes on. */
export default {
  library: 'hpm3',
  use: 'responseInterceptor, no agent',
  explicit: 'the row is about calls without an agent',
  async service({ require, urls, targetOf }) {
    const { createProxyMiddleware, responseInterceptor } = require('hpm3')
    const pass = createProxyMiddleware({
      target: urls.service,
      router: targetOf,
      selfHandleResponse: true,
      on: { proxyRes: responseInterceptor(async buffer => `${buffer} passed by b`) },
    })
    return (req, res) => pass(req, res, () => res.writeHead(404).end())
  },
}
