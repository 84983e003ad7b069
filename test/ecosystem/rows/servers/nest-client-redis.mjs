import { nestClientRows } from '../../shapes/nest-client.mjs'

export default nestClientRows({
  use: 'client.send().pipe(switchMap(...)) by Redis',
  full: true,
  needs: ['redis'],
  async transport({ require, resources }) {
    const { Transport } = require('@nestjs/microservices')
    const { host, port } = resources.redis
    return { transport: Transport.REDIS, options: { host, port } }
  },
})
