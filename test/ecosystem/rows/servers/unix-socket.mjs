import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAsk } from '../../shapes/ask.mjs'

const pathOf = port => join(tmpdir(), `laneway-ecosystem-${port}.sock`)

/** A proxy of the same machine is in front. */
export default {
  library: 'node:http',
  use: 'a server on a unix socket',
  explicit: true,
  drive: ({ port, method, path, headers }) =>
    new Promise(resolve => {
      const failed = error => resolve({ status: 0, headers: [], body: String(error) })
      const req = http.request({ socketPath: pathOf(port), method, path, headers, agent: false }, async res => {
        let body = ''
        for await (const chunk of res) body += chunk
        resolve({ status: res.statusCode, headers: res.rawHeaders, body })
      })
      req.on('error', failed).end()
    }),
  async service(kit) {
    const ask = createAsk(kit)
    const server = http.createServer(async (req, res) => {
      res.end(JSON.stringify([await ask(req.headers, 'handler'), await ask(req.headers, 'later', true)]))
    })
    kit.laneway?.serve(server)
    const port = process.pid
    await new Promise(resolve => server.listen(pathOf(port), resolve))
    return { port, close: () => new Promise(resolve => server.close(resolve)) }
  },
}
