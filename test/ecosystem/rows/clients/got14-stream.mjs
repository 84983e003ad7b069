/** A gateway that streams through got. */
export default {
  library: 'got14',
  use: 'stream, and events',
  explicit: true,
  request: number => ({ method: 'POST', body: `${number} `.repeat(3000) }),
  async service({ agent, targetOf, note }) {
    const { got } = await import('got14')
    const pool = { http: agent({ keepAlive: true, maxSockets: 4 }) }
    return (req, res) => {
      const call = got.stream.post(`${targetOf(req)}${req.url}`, { agent: pool })
      call.on('response', () => note(req, 'response'))
      call.on('end', () => note(req, 'end'))
      req.pipe(call).pipe(res)
    }
  },
}
