/** A gateway with a bounded pool, which passes bodies on as they come. */
export default {
  library: 'http-proxy',
  full: true,
  use: 'bounded pool, POST, proxyRes',
  explicit: true,
  request: number => ({ method: 'POST', body: `${number} `.repeat(5000) }),
  async service({ require, agent, targetOf, note, onClose }) {
    const pool = agent({ keepAlive: true, maxSockets: 2 })
    const proxy = require('http-proxy').createProxyServer({ agent: pool, xfwd: true })
    proxy.on('proxyRes', (proxyRes, req) => {
      note(req, 'proxyRes')
      proxyRes.headers['x-served-by'] = 'b'
    })
    proxy.on('end', req => note(req, 'end'))
    onClose(() => proxy.close())
    return (req, res) => proxy.web(req, res, { target: targetOf(req) })
  },
}
