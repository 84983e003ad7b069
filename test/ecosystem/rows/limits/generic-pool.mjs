/** A pool of clients: a request waits until another has given one back. */
export default {
  library: 'generic-pool',
  use: 'a pool of three clients',
  explicit: true,
  async service({ agent, targetOf, require, onClose }) {
    const { createPool } = require('generic-pool')
    const axios = require('axios')
    const pool = agent()
    const create = async () => axios.create({ httpAgent: pool })
    const clients = createPool({ create, destroy: async () => {} }, { max: 3 })
    onClose(async () => {
      await clients.drain()
      await clients.clear()
    })
    return async (req, res) => {
      const { data } = await clients.use(client => client.get(`${targetOf(req)}${req.url}`))
      res.end(JSON.stringify(data))
    }
  },
}
