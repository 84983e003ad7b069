/** Questions of a service that came before the fetch of Node. */
export default {
  library: 'node-fetch3',
  full: true,
  use: 'post, streamed on',
  explicit: true,
  async service({ agent, targetOf }) {
    const { default: fetch } = await import('node-fetch3')
    const pool = agent({ keepAlive: true, maxSockets: 4 })
    return async (req, res) => {
      const answer = await fetch(`${targetOf(req)}${req.url}`, { method: 'POST', body: 'hello', agent: pool })
      answer.body.pipe(res)
    }
  },
}
