/** The same with a version whose agent is no http.Agent. */
export default {
  library: 'global-agent3',
  full: true,
  use: 'http.globalAgent is no http.Agent',
  // They speak of the way to the proxy, and services are called past it.
  ignore: ['connection', 'proxy-connection'],
  explicit: 'it replaces the agent of every call',
  alone: true,
  env: { GLOBAL_AGENT_NO_PROXY: '127.0.0.1' },
  async service({ require, urls, targetOf }) {
    const { bootstrap } = require('global-agent3')
    bootstrap()
    global.GLOBAL_AGENT.HTTP_PROXY = urls.proxy
    const { get } = require('node:http')
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
