/** A queue of calls that all requests of the service share. */
export default {
  library: 'p-queue',
  use: 'two calls at a time',
  explicit: true,
  lost: 'p-queue',
  async service({ agent, targetOf, require }) {
    const { default: PQueue } = await import('p-queue')
    const axios = require('axios')
    const queue = new PQueue({ concurrency: 2 })
    const pool = agent()
    return async (req, res) => {
      const { data } = await queue.add(() => axios.get(`${targetOf(req)}${req.url}`, { httpAgent: pool }))
      res.end(JSON.stringify(data))
    }
  },
}
