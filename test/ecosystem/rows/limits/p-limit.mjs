/** A limit on calls that all requests of the service share. */
export default {
  library: 'p-limit',
  use: 'two calls at a time',
  explicit: true,
  async service({ agent, targetOf, require }) {
    const { default: pLimit } = await import('p-limit')
    const axios = require('axios')
    const limit = pLimit(2)
    const pool = agent()
    return async (req, res) => {
      const { data } = await limit(() => axios.get(`${targetOf(req)}${req.url}`, { httpAgent: pool }))
      res.end(JSON.stringify(data))
    }
  },
}
