/** Questions with a hook and the retries of got. */
export default {
  library: 'got12',
  full: true,
  use: 'json, with a hook and a retry',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, body: 'busy' } : undefined),
  async service({ agent, targetOf, note }) {
    const { got } = await import('got12')
    const client = got.extend({
      agent: { http: agent() },
      retry: { limit: 2, calculateDelay: ({ computedValue }) => (computedValue > 0 ? 1 : 0) },
    })
    return async (req, res) => {
      const beforeRetry = [() => note(req, 'retry')]
      res.end(JSON.stringify(await client(`${targetOf(req)}${req.url}`, { hooks: { beforeRetry } }).json()))
    }
  },
}
