import { bothWays } from '../../shapes/query.mjs'

/** One connection with its legacy face for callbacks, and a pool of two. */
export default bothWays({
  library: 'redis5',
  needs: ['redis'],
  async open({ require, resources }) {
    const { createClient, createClientPool } = require('redis5')
    const client = createClient(resources.redis)
    const pool = createClientPool(resources.redis, { minimum: 2, maximum: 2 })
    await Promise.all([client.connect(), pool.connect()])
    const close = () => Promise.all([client.close(), pool.close()])
    return { connections: { client, pool, legacy: client.legacy() }, close }
  },
  forms: {
    callback({ legacy }, number, done) {
      legacy.sendCommand(['ECHO', `${number}`], done)
    },
    legacyMulti({ legacy }, number, done) {
      legacy.multi().sendCommand('ECHO', 'one').sendCommand('ECHO', `${number}`).exec(done)
    },
    promise: ({ client }, number) => client.echo(`${number}`),
    multi: ({ client }, number) => client.multi().echo('one').echo(`${number}`).exec(),
    pool: ({ pool }, number) => pool.execute(one => one.echo(`${number}`)),
  },
})
