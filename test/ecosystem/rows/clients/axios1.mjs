/** Questions with a timeout, and a retry of the service's own. */
export default {
  library: 'axios',
  use: 'get, timeout, own retry interceptor',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, body: 'busy' } : undefined),
  async service({ agent, targetOf }) {
    const { default: axios } = await import('axios')
    const client = axios.create({ httpAgent: agent({ keepAlive: true, maxSockets: 2 }), timeout: 10_000 })
    client.interceptors.response.use(undefined, error => {
      if (error.response?.status !== 503) throw error
      return client(error.config)
    })
    return async (req, res) => {
      const { data } = await client.get(`${targetOf(req)}${req.url}`)
      res.end(JSON.stringify(data))
    }
  },
}
