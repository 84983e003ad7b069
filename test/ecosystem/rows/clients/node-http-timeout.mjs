import { get } from 'node:http'

/** Requests wait for a socket, the answer takes too long, and the listener of the timeout asks elsewhere. */
export default {
  library: 'node:http',
  use: 'get again in setTimeout(ms, cb), maxSockets 4',
  explicit: true,
  targets: ['peer'],
  answer: ({ path }) => (path.endsWith('?slow') ? { delayMs: 2000 } : undefined),
  async service({ agent, targetOf, note }) {
    const pool = agent({ keepAlive: true, maxSockets: 4 })
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const call = get(`${url}?slow`, { agent: pool }, answer => answer.resume())
      call.on('error', error => note(req, error.message))
      call.setTimeout(100, () => {
        call.destroy(new Error('late'))
        get(url, { agent: pool }, answer => answer.resume().on('end', () => res.end('answered')))
      })
    }
  },
}
