import { get } from 'node:http'

/** Requests wait for a socket, the answer fails to come, and the listener of the error asks again. */
export default {
  library: 'node:http',
  use: 'get again in on(error), maxSockets 2',
  explicit: true,
  targets: ['peer'],
  answer: ({ times }) => (times === 1 ? { hangUp: true } : undefined),
  async service({ agent, targetOf, note }) {
    const pool = agent({ keepAlive: true, maxSockets: 2 })
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const ask = () => {
        const call = get(url, { agent: pool }, answer => answer.resume().on('end', () => res.end('answered')))
        call.on('error', error => {
          note(req, error.code)
          ask()
        })
      }
      ask()
    }
  },
}
