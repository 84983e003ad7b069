/** The agent of many SDKs, on axios and on node:http. */
export default {
  library: 'agentkeepalive',
  use: 'as agent of axios and of node:http',
  explicit: 'it stands in the place of LaneAgent',
  async service({ require, targetOf, onClose }) {
    const Agent = require('agentkeepalive')
    const axios = require('axios')
    const { get } = require('node:http')
    const pool = new Agent({ maxSockets: 4, maxFreeSockets: 2, timeout: 10_000, freeSocketTimeout: 5000 })
    onClose(() => pool.destroy())
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const { data } = await axios.get(url, { httpAgent: pool })
      get(`${url}?${data.path}`, { agent: pool }, answer => answer.pipe(res))
    }
  },
}
