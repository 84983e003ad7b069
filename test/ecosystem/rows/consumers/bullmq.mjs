import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'bullmq',
  use: 'a worker, its events, QueueEvents',
  needs: ['redis'],
  forms: ['message', 'completed', 'queue-completed'],
  async open({ require, resources }, consume, name) {
    const { Queue, QueueEvents, Worker } = require('bullmq')
    const { host, port } = resources.redis
    const connection = { host, port }
    const queue = new Queue(name, { connection })
    const events = new QueueEvents(name, { connection })
    await events.waitUntilReady()
    events.on('completed', ({ returnvalue }) => consume(returnvalue, 'queue-completed'))
    const work = async job => {
      await consume(job.data)
      return job.data
    }
    const worker = new Worker(name, work, { connection, concurrency: 4 })
    worker.on('completed', job => consume(job.data, 'completed'))
    worker.on('error', () => {})
    await worker.waitUntilReady()
    const close = async () => {
      await worker.close()
      await events.close()
      await queue.close()
    }
    return { send: message => queue.add('one', message), close }
  },
})
