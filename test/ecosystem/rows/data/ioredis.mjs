import { bothWays } from '../../shapes/query.mjs'

/** One connection. */
export default bothWays({
  library: 'ioredis',
  needs: ['redis'],
  async open({ require, resources }) {
    const { Redis } = require('ioredis')
    const client = new Redis(resources.redis.url)
    await client.echo('open')
    return { connections: client, close: () => client.quit() }
  },
  forms: {
    callback(client, number, done) {
      client.echo(`${number}`, done)
    },
    pipeline(client, number, done) {
      client.pipeline().echo('one').echo(`${number}`).exec(done)
    },
    stream(client, number, done) {
      const stream = client.scanStream({ match: 'nothing' })
      stream.resume()
      stream.on('end', () => done(undefined, number))
    },
    promise: (client, number) => client.echo(`${number}`),
    multi: (client, number) => client.multi().echo('one').echo(`${number}`).exec(),
  },
})
