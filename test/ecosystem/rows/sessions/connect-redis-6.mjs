import { promisify } from 'node:util'
import { expressSessionRows } from '../../shapes/session.mjs'

export default expressSessionRows({
  library: 'connect-redis6',
  use: 'express-session with redis 3',
  needs: ['redis'],
  async connect({ require, resources }, session) {
    const client = require('redis3').createClient(resources.redis.url)
    const RedisStore = require('connect-redis6')(session)
    return { store: new RedisStore({ client, prefix: 'six:' }), close: promisify(client.quit).bind(client) }
  },
})
