/** A test of a service that uses the fetch of Node. */
export default {
  library: 'nock14',
  use: 'stands for a service on fetch',
  alone: true,
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, laneway, urls, targetOf, hit, onClose }) {
    const nock = require('nock14')
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
    return async (req, res) => {
      try {
        const answer = await (laneway?.fetch ?? fetch)(`${targetOf(req)}${req.url}`)
        res.end(await answer.text())
      } catch (error) {
        res.writeHead(502).end(error.message)
      }
    }
  },
}
