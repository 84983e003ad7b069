/** A test of a service: nock stands for the other services, and real connections are refused. */
export default {
  library: 'nock14',
  use: 'stands for a service on node:http',
  alone: true,
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, agent, urls, targetOf, hit, onClose }) {
    const nock = require('nock14')
    const { get } = require('node:http')
    nock.disableNetConnect()
    nock.enableNetConnect('127.0.0.1')
    for (const target of [urls.service, urls.peer]) {
      const scope = nock(target)
        .persist()
        .get(/^\/id-/)
      scope.reply(function reply(path) {
        hit({ headers: { 'x-id': path.slice(4) } }, this.req.headers)
        return [200, { path, mocked: true }]
      })
    }
    onClose(() => nock.restore())
    const pool = agent()
    return (req, res) => {
      const call = get(`${targetOf(req)}${req.url}`, { agent: pool }, answer => answer.pipe(res))
      call.on('error', error => res.writeHead(502).end(error.message))
    }
  },
}
