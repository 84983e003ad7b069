import { promisify } from 'node:util'
import { bothWays } from '../../shapes/query.mjs'

const SQL = 'SELECT ? AS value'

/** A pool of two connections, for 20 requests at a time. */
export default bothWays({
  library: 'mysql',
  needs: ['mariadb'],
  async open({ require, resources }) {
    const pool = require('mysql').createPool(`${resources.mariadb.url}?connectionLimit=2`)
    const query = promisify(pool.query).bind(pool)
    await Promise.all([query('SELECT SLEEP(0.02)'), query('SELECT SLEEP(0.02)')])
    return { connections: { pool, query }, close: () => promisify(pool.end).call(pool) }
  },
  forms: {
    callback({ pool }, number, done) {
      pool.query(SQL, [number], (error, rows) => done(error, rows?.[0].value))
    },
    getConnection({ pool }, number, done) {
      pool.getConnection((error, connection) => {
        if (error) return done(error)
        connection.release()
        done(undefined, number)
      })
    },
    events({ pool }, number, done) {
      let value
      const query = pool.query(SQL, [number])
      query.on('result', row => (value = row.value))
      query.on('error', done)
      query.on('end', () => done(undefined, value))
    },
    stream({ pool }, number, done) {
      const rows = []
      const stream = pool.query(SQL, [number]).stream()
      stream.on('data', row => rows.push(row.value))
      stream.on('end', () => done(undefined, rows))
    },
    transaction({ pool }, number, done) {
      pool.getConnection((error, connection) => {
        if (error) return done(error)
        connection.beginTransaction(() => {
          connection.query(SQL, [number], (fault, rows) => {
            connection.commit(() => {
              connection.release()
              done(fault, rows?.[0].value)
            })
          })
        })
      })
    },
    async promise({ query }, number) {
      const [row] = await query(SQL, [number])
      return row.value
    },
  },
})
