import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'bull',
  full: true,
  use: 'a worker that ends by its callback',
  needs: ['redis'],
  async open({ require, resources }, consume, name) {
    const queue = new (require('bull'))(name, resources.redis.url)
    queue.process((job, done) => {
      consume(job.data.message).then(() => done(), done)
    })
    await queue.isReady()
    return { send: message => queue.add({ message }), close: () => queue.close() }
  },
})
