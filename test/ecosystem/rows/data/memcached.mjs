import { bothWays } from '../../shapes/query.mjs'

/** Two connections, for 20 requests at a time. A command finds a connection free or tries again a little later. */
export default bothWays({
  library: 'memcached',
  needs: ['memcached'],
  async open({ require, resources }) {
    const Memcached = require('memcached')
    const client = new Memcached(resources.memcached.address, {
      poolSize: 2,
      retries: 20,
      minTimeout: 5,
      maxTimeout: 20,
    })
    const set = number => new Promise(done => client.set(`memcached-${number}`, number, 60, done))
    await Promise.all(Array.from({ length: 40 }, (_, number) => set(number)))
    return { connections: client, close: async () => client.end() }
  },
  forms: {
    callback(client, number, done) {
      client.get(`memcached-${number}`, done)
    },
    set(client, number, done) {
      client.set(`memcached-set-${number}`, number, 60, done)
    },
    multi(client, number, done) {
      client.getMulti([`memcached-${number}`, `memcached-${(number + 1) % 40}`], done)
    },
    promise: (client, number) =>
      new Promise((resolve, reject) => {
        client.get(`memcached-${number}`, (error, value) => (error ? reject(error) : resolve(value)))
      }),
  },
})
