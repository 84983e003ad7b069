import { bothWays } from '../../shapes/query.mjs'

/** One connection for promises, and one in legacy mode for callbacks. */
export default bothWays({
  library: 'redis4',
  needs: ['redis'],
  async open({ require, resources }) {
    const { createClient } = require('redis4')
    const client = createClient(resources.redis)
    const legacy = createClient({ ...resources.redis, legacyMode: true })
    await Promise.all([client.connect(), legacy.connect()])
    const close = () => Promise.all([client.quit(), legacy.v4.quit()])
    return { connections: { client, legacy }, close }
  },
  forms: {
    callback({ legacy }, number, done) {
      legacy.echo(`${number}`, done)
    },
    legacyMulti({ legacy }, number, done) {
      legacy.multi().echo('one').echo(`${number}`).exec(done)
    },
    promise: ({ client }, number) => client.echo(`${number}`),
    multi: ({ client }, number) => client.multi().echo('one').echo(`${number}`).exec(),
    isolated: ({ client }, number) => client.executeIsolated(one => one.echo(`${number}`)),
  },
})
