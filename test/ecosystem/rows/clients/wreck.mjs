/** Questions of a hapi service. */
export default {
  library: '@hapi/wreck',
  full: true,
  use: 'get and read',
  explicit: true,
  async service({ require, agent, targetOf }) {
    const client = require('@hapi/wreck').defaults({ agent: agent() })
    return async (req, res) => {
      const { payload } = await client.get(`${targetOf(req)}${req.url}`, { json: true })
      res.end(JSON.stringify(payload))
    }
  },
}
