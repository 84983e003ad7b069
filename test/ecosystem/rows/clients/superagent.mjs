/** Questions with a retry, in the promise form. */
export default {
  library: 'superagent',
  use: 'get with a retry',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, body: 'busy' } : undefined),
  async service({ require, agent, targetOf }) {
    const superagent = require('superagent')
    const pool = agent()
    return async (req, res) => {
      const answer = await superagent
        .get(`${targetOf(req)}${req.url}`)
        .agent(pool)
        .retry(2)
      res.end(JSON.stringify(answer.body))
    }
  },
}
