/** A test of a service that uses axios without an agent, as most do. */
export default {
  library: 'nock14',
  full: true,
  use: 'stands for a service on axios, no agent',
  alone: true,
  explicit: 'the row is about calls without an agent',
  targets: ['service', 'peer'],
  async service({ require, urls, targetOf, hit, onClose }) {
    const nock = require('nock14')
    const axios = require('axios')
    nock.disableNetConnect()
    nock.enableNetConnect('127.0.0.1')
    for (const target of [urls.service, urls.peer]) {
      const scope = nock(target)
        .persist()
        .post(/^\/id-/, { hello: 'there' })
      scope.reply(function reply(path) {
        hit({ headers: { 'x-id': path.slice(4) } }, this.req.headers)
        return [201, { path, mocked: true }, { Vary: 'Accept-Language' }]
      })
    }
    onClose(() => nock.restore())
    return async (req, res) => {
      const { status, data, headers } = await axios.post(`${targetOf(req)}${req.url}`, { hello: 'there' })
      res.writeHead(status, { vary: headers.vary }).end(JSON.stringify(data))
    }
  },
}
