/** A test of a service: MockAgent stands for the other services, and net connect is disabled. */
export default {
  library: 'undici6',
  full: true,
  use: 'MockAgent, request',
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, laneway, urls, targetOf, hit, onClose }) {
    const { MockAgent, request } = require('undici6')
    const mock = new MockAgent()
    mock.disableNetConnect()
    for (const target of [urls.service, urls.peer]) {
      const scope = mock.get(target).intercept({ path: path => path.startsWith('/id-') })
      const reply = ({ path, headers }) => {
        hit({ headers: { 'x-id': path.slice(4) } }, headers ?? {})
        return { mocked: path }
      }
      scope.reply(200, reply).persist()
    }
    const dispatcher = laneway?.dispatcher(mock) ?? mock
    onClose(() => mock.close())
    return async (req, res) => {
      try {
        const { body } = await request(`${targetOf(req)}${req.url}`, { dispatcher })
        res.end(await body.text())
      } catch (error) {
        res.writeHead(502).end(error.message)
      }
    }
  },
}
