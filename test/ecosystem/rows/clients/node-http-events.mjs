import { request } from 'node:http'

const EVENTS = ['socket', 'finish', 'response', 'close', 'information', 'continue', 'timeout', 'abort', 'error']

/** The events of a request and of its answer, in their order. */
export default {
  library: 'node:http',
  use: 'the events of POST and of an early destroy',
  explicit: true,
  request: number => ({ method: 'POST', body: `${number}` }),
  async service({ agent, targetOf, note }) {
    const pool = agent()
    return (req, res) => {
      const early = request(`${targetOf(req)}/early`, { agent: pool })
      for (const event of EVENTS) early.on(event, () => note(req, `early ${event}`))
      early.end()
      early.destroy()
      const call = request(`${targetOf(req)}${req.url}`, { method: 'POST', agent: pool })
      for (const event of EVENTS) call.on(event, () => note(req, event))
      call.on('socket', () => note(req, `headers ${call.headersSent ? 'sent' : 'open'}`))
      call.on('response', answer => {
        for (const event of ['end', 'close']) answer.on(event, () => note(req, `answer ${event}`))
        answer.pipe(res)
      })
      setImmediate(() => call.end('hello'))
    }
  },
}
