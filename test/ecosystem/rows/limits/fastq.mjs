/** A queue of callbacks that all requests of the service share. */
export default {
  library: 'fastq',
  use: 'two calls at a time, callbacks',
  explicit: true,
  lost: 'fastq',
  async service({ agent, targetOf, require }) {
    const fastq = require('fastq')
    const { get } = require('node:http')
    const pool = agent()
    const queue = fastq((url, done) => {
      get(url, { agent: pool }, answer => {
        let text = ''
        answer.on('data', chunk => (text += chunk)).on('end', () => done(null, text))
      })
    }, 2)
    return (req, res) => queue.push(`${targetOf(req)}${req.url}`, (_error, text) => res.end(text))
  },
}
