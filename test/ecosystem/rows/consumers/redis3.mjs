import { promisify } from 'node:util'
import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'redis3',
  use: 'a subscriber',
  needs: ['redis'],
  async open({ require, resources }, consume, name) {
    const [client, subscriber] = [1, 2].map(() => require('redis3').createClient(resources.redis.url))
    subscriber.on('message', (_channel, message) => consume(message))
    await promisify(subscriber.subscribe).call(subscriber, name)
    const publish = promisify(client.publish).bind(client)
    const quit = one => promisify(one.quit).call(one)
    return { send: message => publish(name, message), close: () => Promise.all([client, subscriber].map(quit)) }
  },
})
