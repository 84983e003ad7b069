/** A tunnelling agent that is no http.Agent. */
export default {
  library: 'tunnel',
  full: true,
  use: 'as agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'the agent of another package sends these requests',
  async service({ require, urls, targetOf, onClose }) {
    const { hostname: host, port } = new URL(urls.proxy)
    const agent = require('tunnel').httpOverHttp({ proxy: { host, port } })
    const { get } = require('node:http')
    onClose(() => agent.destroy?.())
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, { agent }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
