import { bothWays } from '../../shapes/query.mjs'

const SQL = 'SELECT $1::int AS value'

/** A pool of two connections. */
export default bothWays({
  library: 'pg',
  needs: ['postgresql'],
  async open({ require, resources }) {
    const { Pool, Query } = require('pg')
    const pool = new Pool({ connectionString: resources.postgresql.url, max: 2 })
    await Promise.all([pool.query('SELECT pg_sleep(0.02)'), pool.query('SELECT pg_sleep(0.02)')])
    return { connections: { pool, Query }, close: () => pool.end() }
  },
  forms: {
    callback({ pool }, number, done) {
      pool.query(SQL, [number], (error, result) => done(error, result?.rows[0].value))
    },
    connect({ pool }, number, done) {
      pool.connect((error, client, release) => {
        if (error) return done(error)
        client.query({ name: 'one', text: SQL, values: [number] }, (fault, result) => {
          release()
          done(fault, result?.rows[0].value)
        })
      })
    },
    events({ pool, Query }, number, done) {
      pool.connect((error, client, release) => {
        if (error) return done(error)
        let value
        const query = client.query(new Query(SQL, [number]))
        query.on('row', row => (value = row.value))
        query.on('error', done)
        query.on('end', () => {
          release()
          done(undefined, value)
        })
      })
    },
    async promise({ pool }, number) {
      const { rows } = await pool.query(SQL, [number])
      return rows[0].value
    },
    async transaction({ pool }, number) {
      const client = await pool.connect()
      await client.query('BEGIN')
      const { rows } = await client.query(SQL, [number])
      await client.query('COMMIT')
      client.release()
      return rows[0].value
    },
  },
})
