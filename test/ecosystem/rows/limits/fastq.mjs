/** A queue of callbacks that all requests of the service share. */
export default {
  library: 'fastq',
  use: 'two calls at a time, callbacks',
  explicit: true,
  async service({ agent, laneway, targetOf, require }) {
    const fastq = require('fastq')
    const { get } = require('node:http')
    const pool = agent()
    // The packages know no queues: what the worker calls is bound by hand.
    const bind = laneway?.bindLane ?? (fn => fn)
    const queue = fastq((task, done) => {
      task.get(task.url, { agent: pool }, answer => {
        let text = ''
        answer.on('data', chunk => (text += chunk)).on('end', () => done(null, text))
      })
    }, 2)
    return (req, res) => {
      const task = { url: `${targetOf(req)}${req.url}`, get: bind(get) }
      queue.push(
        task,
        bind((_error, text) => get(`${task.url}?${text.length}`, { agent: pool }, answer => answer.pipe(res))),
      )
    }
  },
}
