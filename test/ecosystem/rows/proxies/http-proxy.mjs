/** A gateway that names itself to the service behind it. */
export default {
  library: 'http-proxy',
  use: 'sets a header in proxyReq',
  explicit: true,
  request: number => (number % 4 === 1 ? { method: 'POST', body: `{"id":${number}}` } : {}),
  async service({ require, agent, targetOf, onClose }) {
    const proxy = require('http-proxy').createProxyServer({ agent: agent() })
    proxy.on('proxyReq', proxyReq => proxyReq.setHeader('x-gateway', 'b'))
    proxy.on('error', (error, _req, res) => res.writeHead(502).end(error.message))
    onClose(() => proxy.close())
    return (req, res) => proxy.web(req, res, { target: targetOf(req) })
  },
}
