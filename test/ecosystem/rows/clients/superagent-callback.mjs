/** A question after another, in the callback form. */
export default {
  library: 'superagent',
  full: true,
  use: 'two posts, callbacks',
  explicit: true,
  async service({ require, agent, targetOf }) {
    const superagent = require('superagent')
    const pool = agent({ keepAlive: true, maxSockets: 2 })
    const post = (url, body, done) => superagent.post(url).agent(pool).send(body).end(done)
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      post(url, { first: true }, (_error, first) => {
        post(url, { after: first.body }, (_late, second) => res.end(JSON.stringify(second.body)))
      })
    }
  },
}
