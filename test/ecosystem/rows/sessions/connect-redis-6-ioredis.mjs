import { expressSessionRows } from '../../shapes/session.mjs'

export default expressSessionRows({
  library: 'connect-redis6',
  use: 'express-session with ioredis, Express 4',
  framework: 'express4',
  needs: ['redis'],
  async connect({ require, resources }, session) {
    const { Redis } = require('ioredis')
    const client = new Redis(resources.redis.url)
    const RedisStore = require('connect-redis6')(session)
    return { store: new RedisStore({ client, prefix: 'six-io:' }), close: () => client.quit() }
  },
})
