import { bothWays } from '../../shapes/query.mjs'

/** One connection. */
export default bothWays({
  library: 'memjs',
  needs: ['memcached'],
  async open({ require, resources }) {
    const { Client } = require('memjs')
    const client = Client.create(resources.memcached.address)
    await client.set('memjs', 'stored', { expires: 60 })
    return { connections: client, close: async () => client.close() }
  },
  forms: {
    callback(client, number, done) {
      client.get('memjs', (error, value) => done(error, `${value} ${number}`))
    },
    async promise(client, number) {
      const { value } = await client.get('memjs')
      return `${value} ${number}`
    },
  },
})
