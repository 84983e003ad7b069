import { Writable } from 'node:stream'

/** Callbacks and streams of undici through one connection: what they call belongs to their request. */
export default {
  library: 'undici7',
  use: "a call in 'finish' of stream() and 'end' of pipeline()",
  explicit: true,
  async service({ require, laneway, targetOf, onClose }) {
    const { Agent, stream, pipeline, request } = require('undici7')
    const agent = new Agent({ connections: 1 })
    const dispatcher = laneway?.dispatcher(agent) ?? agent
    onClose(() => agent.close())
    const sink = done => new Writable({ write: (_chunk, _encoding, next) => next() }).on('finish', done)
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const again = async what => (await request(`${url}?${what}`, { dispatcher })).body.text()
      const finished = new Promise((resolve, reject) => {
        stream(
          url,
          { dispatcher, method: 'GET' },
          () => sink(() => again('finish').then(resolve, reject)),
          () => {},
        )
      })
      const ended = new Promise((resolve, reject) => {
        pipeline(url, { dispatcher, method: 'PUT' }, ({ body }) => body)
          .on('end', () => again('end').then(resolve, reject))
          .resume()
          .end('hello')
      })
      Promise.all([finished, ended]).then(all => res.end(String(all)))
    }
  },
}
