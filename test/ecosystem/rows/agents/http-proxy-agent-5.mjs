/** A proxy agent on agent-base 6, which is no http.Agent. */
export default {
  library: 'http-proxy-agent5',
  use: 'agent-base 6, as agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'the agent of another package sends these requests',
  async service({ require, urls, targetOf, onClose }) {
    const agent = require('http-proxy-agent5')(urls.proxy)
    const { get } = require('node:http')
    onClose(() => agent.destroy?.())
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, { agent }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
