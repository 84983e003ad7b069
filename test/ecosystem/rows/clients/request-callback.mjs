/** A question after another, in the callback form, through the pool of the library. */
export default {
  library: 'request',
  full: true,
  use: 'two gets, callbacks, own pool',
  explicit: 'the row is about the pool that the library makes',
  async service({ require, targetOf }) {
    const request = require('request').defaults({ json: true, forever: true, pool: { maxSockets: 2 } })
    return (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      request(url, (_error, _answer, first) => {
        request(`${url}?after=${encodeURIComponent(first.path)}`, (_late, _other, second) => {
          res.end(JSON.stringify(second))
        })
      })
    }
  },
}
