/** Questions of a service that never went to axios 1. */
export default {
  library: 'axios0',
  full: true,
  use: 'post, with interceptors',
  explicit: true,
  async service({ agent, targetOf }) {
    const { default: axios } = await import('axios0')
    const client = axios.create({ httpAgent: agent(), timeout: 10_000 })
    client.interceptors.request.use(config => ({ ...config, headers: { ...config.headers, 'x-client': 'b' } }))
    return async (req, res) => {
      const { data } = await client.post(`${targetOf(req)}${req.url}`, { hello: 'there' })
      res.end(JSON.stringify(data))
    }
  },
}
