import { promisify } from 'node:util'
import { bothWays } from '../../shapes/query.mjs'

/** One connection. */
export default bothWays({
  library: 'redis3',
  needs: ['redis'],
  async open({ require, resources }) {
    const client = require('redis3').createClient(resources.redis.url)
    const quit = promisify(client.quit).bind(client)
    const echo = promisify(client.echo).bind(client)
    await echo('open')
    return { connections: { client, echo }, close: quit }
  },
  forms: {
    callback({ client }, number, done) {
      client.set(`redis3:${number}`, number, error => {
        if (error) return done(error)
        client.get(`redis3:${number}`, done)
      })
    },
    multi({ client }, number, done) {
      client.multi().echo('one').echo(`${number}`).exec(done)
    },
    batch({ client }, number, done) {
      client.batch().echo('one').echo(`${number}`).exec(done)
    },
    sendCommand({ client }, number, done) {
      client.send_command('ECHO', [`${number}`], done)
    },
    promise: ({ echo }, number) => echo(`${number}`),
  },
})
