/** A test of a service: msw stands for the other services, whatever the client. */
export default {
  library: 'msw',
  use: 'stands for a service on fetch and axios',
  alone: true,
  explicit: true,
  targets: ['service', 'peer'],
  async service({ require, laneway, agent, urls, targetOf, hit, onClose }) {
    const { setupServer } = require('msw/node')
    const { http, HttpResponse, passthrough } = require('msw')
    const axios = require('axios')
    const answer = ({ request }) => {
      const { pathname } = new URL(request.url)
      hit({ headers: { 'x-id': pathname.slice(4) } }, Object.fromEntries(request.headers))
      return HttpResponse.json({ pathname, mocked: true })
    }
    const mock = setupServer(
      http.get(`${urls.service}/*`, answer),
      http.get(`${urls.peer}/*`, answer),
      http.all('http://127.0.0.1:*', () => passthrough()),
    )
    mock.listen({ onUnhandledRequest: 'error' })
    onClose(() => mock.close())
    const pool = agent()
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const first = await (await (laneway?.fetch ?? fetch)(url)).text()
      const { data } = await axios.get(url, { httpAgent: pool })
      res.end(first + JSON.stringify(data))
    }
  },
}
