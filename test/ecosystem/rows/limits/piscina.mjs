/** Work of a request in a worker thread, and a call with its result. */
export default {
  library: 'piscina',
  use: 'a task in a worker, then a call',
  explicit: true,
  async service({ agent, targetOf, require, onClose }) {
    const { Piscina } = require('piscina')
    const axios = require('axios')
    const filename = new URL('../../fixtures/piscina-task.cjs', import.meta.url).href
    const workers = new Piscina({ filename, maxThreads: 1 })
    const pool = agent()
    onClose(() => workers.destroy())
    return async (req, res) => {
      const sum = await workers.run(Number(req.url.slice(4)))
      const { data } = await axios.get(`${targetOf(req)}${req.url}?${sum}`, { httpAgent: pool })
      res.end(JSON.stringify(data))
    }
  },
}
