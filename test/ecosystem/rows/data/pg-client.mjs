import { bothWays } from '../../shapes/query.mjs'

/** One connection, whose queries wait for each other. */
export default bothWays({
  library: 'pg',
  use: 'queries of one Client',
  needs: ['postgresql'],
  async open({ require, resources }) {
    const { Client } = require('pg')
    const client = new Client({ connectionString: resources.postgresql.url })
    await client.connect()
    return { connections: client, close: () => client.end() }
  },
  forms: {
    callback(client, number, done) {
      client.query(`SELECT ${number} AS value`, (error, result) => done(error, result?.rows[0].value))
    },
    async promise(client, number) {
      const { rows } = await client.query(`SELECT ${number} AS value`)
      return rows[0].value
    },
  },
})
