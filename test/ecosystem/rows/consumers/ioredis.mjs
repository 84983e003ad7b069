import { consumerRows } from '../../shapes/consumer.mjs'

const subscriber = consumerRows({
  library: 'ioredis',
  use: 'a subscriber',
  needs: ['redis'],
  forms: ['message', 'pmessage'],
  async open({ require, resources }, consume, name) {
    const { Redis } = require('ioredis')
    const [client, subscriber] = [1, 2].map(() => new Redis(resources.redis.url))
    subscriber.on('message', (_channel, message) => consume(message))
    subscriber.on('pmessage', (_pattern, _channel, message) => consume(message, 'pmessage'))
    await subscriber.subscribe(`${name}-one`)
    await subscriber.psubscribe(`${name}-two-*`)
    const send = async message => {
      await client.publish(`${name}-one`, message)
      await client.publish(`${name}-two-x`, message)
    }
    return { send, close: () => Promise.all([client.quit(), subscriber.quit()]) }
  },
})

/** A loop of the service's own: each answer asks for the next. */
const loop = consumerRows({
  library: 'ioredis',
  use: 'a loop of XREAD',
  needs: ['redis'],
  async open({ require, resources }, consume, name) {
    const { Redis } = require('ioredis')
    const [client, reader] = [1, 2].map(() => new Redis(resources.redis.url))
    let ended = false
    const read = from => {
      reader.xread('BLOCK', 0, 'STREAMS', name, from, (_error, streams) => {
        if (ended || streams == null) return
        const [[, entries]] = streams
        for (const [, [, message]] of entries) consume(message)
        read(entries.at(-1)[0])
      })
    }
    read('0')
    const close = async () => {
      ended = true
      reader.disconnect()
      await client.quit()
    }
    return { send: message => client.xadd(name, '*', 'message', message), close }
  },
})

const OWN_LOOP =
  'the loop is the request\'s own code and runs in its lane: packages/register/README.md, "a consumer\'s loop"'

export default [
  ...subscriber,
  ...loop.map(row => ({
    ...row,
    variant: `loop-${row.variant}`,
    ...(row.variant === 'by-request' && { notApplicable: { register: OWN_LOOP, otel: OWN_LOOP } }),
  })),
]
