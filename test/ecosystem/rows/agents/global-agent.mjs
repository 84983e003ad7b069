/** Everything goes through the company's proxy: global-agent replaces the agent of every call. */
export default {
  library: 'global-agent',
  use: 'http.globalAgent is a proxy agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'it replaces the agent of every call',
  alone: true,
  env: { GLOBAL_AGENT_NO_PROXY: '127.0.0.1' },
  async service({ require, urls, targetOf }) {
    const { bootstrap } = require('global-agent')
    bootstrap()
    global.GLOBAL_AGENT.HTTP_PROXY = urls.proxy
    const { get } = require('node:http')
    return (req, res) => {
      const headers = { 'x-client': 'b' }
      get(`${targetOf(req)}${req.url}`, { headers }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
