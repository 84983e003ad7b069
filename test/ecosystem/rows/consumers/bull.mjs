import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'bull',
  use: 'a worker and its events',
  needs: ['redis'],
  forms: ['message', 'completed'],
  async open({ require, resources }, consume, name) {
    const Queue = require('bull')
    const queue = new Queue(name, resources.redis.url)
    queue.process(4, async job => {
      await consume(job.data.message)
      return job.data.message
    })
    queue.on('completed', job => consume(job.data.message, 'completed'))
    await queue.isReady()
    return { send: message => queue.add({ message }), close: () => queue.close() }
  },
})
