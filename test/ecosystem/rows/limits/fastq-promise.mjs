/** The promise form of the queue: what comes after the answer belongs to the request. */
export default {
  library: 'fastq',
  use: 'promise form, the call after the queue',
  explicit: true,
  async service({ agent, targetOf, require }) {
    const fastq = require('fastq')
    const axios = require('axios')
    const pool = agent()
    const queue = fastq.promise(async number => new Promise(resolve => setTimeout(resolve, 1, number + 1)), 2)
    return async (req, res) => {
      const next = await queue.push(Number(req.url.slice(4)))
      const { data } = await axios.get(`${targetOf(req)}${req.url}?${next}`, { httpAgent: pool })
      res.end(JSON.stringify(data))
    }
  },
}
