/** Retries and hooks towards a host that is no service, where each new socket is opened by the end of another request. */
export default {
  library: 'got14',
  use: 'the same towards a host that is no service',
  explicit: true,
  targets: ['peer'],
  answer: ({ times }) => (times % 2 === 1 && times < 4 ? { hangUp: true } : undefined),
  async service({ agent, targetOf }) {
    const { got } = await import('got14')
    const pool = { http: agent({ keepAlive: true, maxSockets: 2 }) }
    const retry = { limit: 3, calculateDelay: ({ computedValue }) => (computedValue > 0 ? 1 : 0) }
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const token = async () => {
        await got(`${url}?token`, { agent: pool, retry }).text()
      }
      res.end(JSON.stringify(await got(url, { agent: pool, retry, hooks: { beforeRetry: [token] } }).json()))
    }
  },
}
