import { get } from 'node:http'

/** A host that refuses connections: requests wait for a socket, and the listener of the error asks elsewhere. */
export default {
  library: 'node:http',
  use: 'get elsewhere in on(error), refused, maxSockets 2',
  explicit: true,
  targets: ['peer'],
  async service({ agent, targetOf, note }) {
    const pool = agent({ keepAlive: true, maxSockets: 2 })
    return (req, res) => {
      get('http://peer.internal:1/', { agent: pool }).on('error', error => {
        note(req, error.code)
        get(`${targetOf(req)}${req.url}`, { agent: pool }, answer => answer.pipe(res))
      })
    }
  },
}
