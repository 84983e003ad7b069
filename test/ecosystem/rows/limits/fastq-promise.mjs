/** The promise form of the queue, whose worker calls another service too. */
export default {
  library: 'fastq',
  use: 'promise form, calls in the worker and after it',
  explicit: true,
  async service({ agent, laneway, targetOf, require }) {
    const fastq = require('fastq')
    const axios = require('axios')
    const pool = agent()
    // The packages know no queues: what the worker calls is bound by hand.
    const bind = laneway?.bindLane ?? (fn => fn)
    const queue = fastq.promise(async task => task(), 2)
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const first = await queue.push(bind(async () => (await axios.get(url, { httpAgent: pool })).data))
      const { data } = await axios.get(`${url}?${first.path}`, { httpAgent: pool })
      res.end(JSON.stringify(data))
    }
  },
}
