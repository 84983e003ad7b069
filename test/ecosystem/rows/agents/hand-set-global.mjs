/** The same with an agent for every call of the process. */
export default {
  library: 'node:http',
  use: 'the same, as http.globalAgent',
  explicit: 'the agent of another package sends these requests',
  alone: true,
  targets: ['third'],
  async service({ require, urls, targetOf }) {
    const http = require('node:http')
    http.globalAgent = require('http-proxy-agent5')(urls.proxy)
    const { get } = http
    return (req, res) => {
      const { 'x-mse-tag': tag } = req.headers
      const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
      get(`${targetOf(req)}${req.url}`, { headers }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
