import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'ioredis',
  use: 'a subscriber and a loop of XREAD',
  needs: ['redis'],
  forms: ['message', 'pmessage', 'stream'],
  async open({ require, resources }, consume, name) {
    const { Redis } = require('ioredis')
    const [client, subscriber, reader] = [1, 2, 3].map(() => new Redis(resources.redis.url))
    subscriber.on('message', (_channel, message) => consume(message))
    subscriber.on('pmessage', (_pattern, _channel, message) => consume(message, 'pmessage'))
    await subscriber.subscribe(`${name}-one`)
    await subscriber.psubscribe(`${name}-two-*`)
    let ended = false
    // A callback of each answer asks for the next.
    const read = from => {
      reader.xread('BLOCK', 0, 'STREAMS', name, from, (_error, streams) => {
        if (ended || streams == null) return
        const [[, entries]] = streams
        for (const [, [, message]] of entries) consume(message, 'stream')
        read(entries.at(-1)[0])
      })
    }
    read('0')
    const send = async message => {
      await client.publish(`${name}-one`, message)
      await client.publish(`${name}-two-x`, message)
      await client.xadd(name, '*', 'message', message)
    }
    const close = async () => {
      ended = true
      reader.disconnect()
      await Promise.all([client.quit(), subscriber.quit()])
    }
    return { send, close }
  },
})
