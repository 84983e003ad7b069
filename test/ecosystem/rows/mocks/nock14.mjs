/** A test of a service: nock stands for the service and real connections are refused. */
export default {
  library: 'nock14',
  use: 'stands for a service on node:http',
  alone: true,
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, laneway, urls, targetOf, hit, onClose }) {
    const nock = require('nock14')
    const { get } = require('node:http')
    nock.disableNetConnect()
    nock.enableNetConnect('127.0.0.1')
    for (const target of [urls.service, urls.peer]) {
      nock(target)
        .persist()
        .get(/^\/id-/)
        .reply(function reply(path) {
          hit({ headers: { 'x-id': path.slice(4) } }, this.req.headers)
          return [200, { path, mocked: true }]
        })
    }
    onClose(() => nock.restore())
    return (req, res) => {
      get(`${targetOf(req)}${req.url}`, { agent: laneway?.agent }, answer => answer.pipe(res)).on('error', error => {
        res.writeHead(502).end(error.message)
      })
    }
  },
}
