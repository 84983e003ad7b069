/** Calls of hooks and retries through a small pool, where a request waits for the socket of another. */
export default {
  library: 'got14',
  use: 'a call in each hook, retries, maxSockets 2',
  explicit: true,
  answer: ({ times }) => (times === 2 ? { status: 503, body: 'busy' } : undefined),
  async service({ agent, targetOf }) {
    const { got } = await import('got14')
    const pool = { http: agent({ keepAlive: true, maxSockets: 2 }) }
    const client = got.extend({
      agent: pool,
      retry: { limit: 2, calculateDelay: ({ computedValue }) => (computedValue > 0 ? 1 : 0) },
    })
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      // A hook that returns something answers in place of the request.
      const token = async () => {
        await got(`${url}?token`, { agent: pool, retry: { limit: 0 } }).text()
      }
      const hooks = { beforeRequest: [token], beforeRetry: [token] }
      res.end(JSON.stringify(await client(url, { hooks }).json()))
    }
  },
}
