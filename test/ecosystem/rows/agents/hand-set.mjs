/** A tag that the service sets by hand, through a proxy agent: in scope it is the lane of the call, elsewhere it stays here. */
export default {
  library: 'http-proxy-agent5',
  use: 'a tag set by hand does not reach a third party',
  explicit: 'the agent of another package sends these requests',
  targets: ['third'],
  async service({ require, urls, targetOf }) {
    const agent = require('http-proxy-agent5')(urls.proxy)
    const { get } = require('node:http')
    return (req, res) => {
      const { 'x-mse-tag': tag } = req.headers
      const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
      get(`${targetOf(req)}${req.url}`, { agent, headers }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
