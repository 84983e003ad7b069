/** A queue of calls that all requests of the service share. */
export default {
  library: 'p-queue',
  use: 'two calls at a time',
  explicit: true,
  async service({ agent, laneway, targetOf, require }) {
    const { default: PQueue } = await import('p-queue')
    const axios = require('axios')
    const queue = new PQueue({ concurrency: 2 })
    const pool = agent()
    // The packages know no queues: a task is bound by hand.
    const bind = laneway?.bindLane ?? (fn => fn)
    return async (req, res) => {
      const { data } = await queue.add(bind(() => axios.get(`${targetOf(req)}${req.url}`, { httpAgent: pool })))
      res.end(JSON.stringify(data))
    }
  },
}
