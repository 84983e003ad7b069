/** An agent that chooses a proxy for each request. */
export default {
  library: 'proxy-agent',
  full: true,
  use: 'as agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'the agent of another package sends these requests',
  async service({ require, urls, targetOf, onClose }) {
    const { ProxyAgent } = require('proxy-agent')
    const agent = new ProxyAgent({ getProxyForUrl: () => urls.proxy })
    const { get } = require('node:http')
    onClose(() => agent.destroy?.())
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, { agent }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
