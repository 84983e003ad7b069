/** A gateway as it was written for many years: the request is piped through. */
export default {
  library: 'request',
  use: 'req.pipe(request(url)).pipe(res)',
  explicit: true,
  request: number => (number % 3 === 1 ? { method: 'POST', body: `hello ${number}` } : {}),
  async service({ require, agent, targetOf }) {
    const request = require('request')
    const pool = agent()
    return (req, res) => {
      req.pipe(request({ url: `${targetOf(req)}${req.url}`, agent: pool })).pipe(res)
    }
  },
}
