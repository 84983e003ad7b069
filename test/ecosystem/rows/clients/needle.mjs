/** A question after another, in the callback form, through a small pool. */
export default {
  library: 'needle',
  full: true,
  use: 'get, then post, callbacks',
  explicit: true,
  async service({ require, agent, targetOf }) {
    const needle = require('needle')
    const options = { agent: agent({ keepAlive: true, maxSockets: 2 }), json: true }
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      needle.get(url, options, (_error, first) => {
        needle.post(url, { after: first.body.path }, options, (_late, second) => res.end(JSON.stringify(second.body)))
      })
    }
  },
}
