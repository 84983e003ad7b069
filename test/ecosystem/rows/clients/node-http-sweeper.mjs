import { get } from 'node:http'

/**
 * One timer ends all calls that take too long, in the context of the request that started it; the listener of the error asks
 * elsewhere. Nothing but the events of the calls knows whose they are.
 */
export default {
  library: 'node:http',
  use: 'get again in on(error), calls ended by a timer that requests share',
  explicit: true,
  targets: ['peer'],
  answer: ({ path }) => (path.endsWith('?slow') ? { delayMs: 2000 } : undefined),
  async service({ agent, targetOf, note }) {
    const pool = agent({ keepAlive: true })
    const open = new Set()
    const sweep = () => {
      for (const call of open) call.destroy(new Error('late'))
      open.clear()
    }
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const call = get(`${url}?slow`, { agent: pool }, answer => answer.resume())
      // What takes too long is at its server.
      call.on('finish', () => {
        if (open.size === 0) setTimeout(sweep, 100)
        open.add(call)
      })
      call.on('error', error => {
        note(req, error.message)
        get(url, { agent: pool }, answer => answer.resume().on('end', () => res.end('answered')))
      })
    }
  },
}
