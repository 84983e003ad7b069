import { expressSessionRows } from '../../shapes/session.mjs'

export default expressSessionRows({
  library: 'connect-redis',
  use: 'express-session with redis 5',
  needs: ['redis'],
  async connect({ resources }) {
    const { RedisStore } = await import('connect-redis')
    const { createClient } = await import('redis5')
    const client = createClient(resources.redis)
    await client.connect()
    return { store: new RedisStore({ client, prefix: 'nine:' }), close: () => client.close() }
  },
})
