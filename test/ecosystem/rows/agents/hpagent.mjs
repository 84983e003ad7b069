/** A proxy agent that tunnels through http.Agent. */
export default {
  library: 'hpagent',
  full: true,
  use: 'as agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'the agent of another package sends these requests',
  async service({ require, urls, targetOf, onClose }) {
    const agent = new (require('hpagent').HttpProxyAgent)({ proxy: urls.proxy, keepAlive: true })
    const { get } = require('node:http')
    onClose(() => agent.destroy?.())
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, { agent }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
