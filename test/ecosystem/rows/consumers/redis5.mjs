import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'redis5',
  use: 'a subscriber',
  needs: ['redis'],
  async open({ require, resources }, consume, name) {
    const client = require('redis5').createClient(resources.redis)
    const subscriber = client.duplicate()
    await Promise.all([client.connect(), subscriber.connect()])
    await subscriber.subscribe(name, message => consume(message))
    const close = () => Promise.all([client.quit(), subscriber.quit()])
    return { send: message => client.publish(name, message), close }
  },
})
