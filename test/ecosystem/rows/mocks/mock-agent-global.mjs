/** A test of a service that uses undici's own fetch: the mock is the global dispatcher. */
export default {
  library: 'undici7',
  use: 'MockAgent as global dispatcher, fetch of undici',
  alone: true,
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, laneway, urls, targetOf, hit, onClose }) {
    const { MockAgent, fetch, setGlobalDispatcher } = require('undici7')
    const mock = new MockAgent()
    mock.disableNetConnect()
    for (const target of [urls.service, urls.peer]) {
      const scope = mock.get(target).intercept({ path: path => path.startsWith('/id-') })
      const reply = ({ path, headers }) => {
        const plain = headers instanceof Headers ? Object.fromEntries(headers) : headers
        hit({ headers: { 'x-id': path.slice(4) } }, plain ?? {})
        return { mocked: path }
      }
      scope.reply(200, reply).persist()
    }
    setGlobalDispatcher(laneway?.dispatcher(mock) ?? mock)
    onClose(() => mock.close())
    return async (req, res) => {
      try {
        res.end(await (await fetch(`${targetOf(req)}${req.url}`)).text())
      } catch (error) {
        res.writeHead(502).end(String(error.cause ?? error))
      }
    }
  },
}
