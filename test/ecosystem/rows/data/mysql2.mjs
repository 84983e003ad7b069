import { bothWays } from '../../shapes/query.mjs'

const SQL = 'SELECT ? AS value'

/** Both interfaces of one pool of two connections. */
export default bothWays({
  library: 'mysql2',
  needs: ['mariadb'],
  async open({ require, resources }) {
    const pool = require('mysql2').createPool({ uri: resources.mariadb.url, connectionLimit: 2 })
    const promised = pool.promise()
    await Promise.all([promised.query('SELECT SLEEP(0.02)'), promised.query('SELECT SLEEP(0.02)')])
    return { connections: { pool, promised }, close: () => promised.end() }
  },
  forms: {
    callback({ pool }, number, done) {
      pool.query(SQL, [number], (error, rows) => done(error, rows?.[0].value))
    },
    execute({ pool }, number, done) {
      pool.execute('SELECT value FROM (SELECT 1 AS value) AS one', (error, rows) =>
        done(error, rows?.[0].value + number),
      )
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
      query.on('result', row => (value = Number(row.value)))
      query.on('error', done)
      query.on('end', () => done(undefined, value))
    },
    stream({ pool }, number, done) {
      const rows = []
      const stream = pool.query(SQL, [number]).stream()
      stream.on('data', row => rows.push(row.value))
      stream.on('end', () => done(undefined, rows))
    },
    async promise({ promised }, number) {
      const [[row]] = await promised.query(SQL, [number])
      return row.value
    },
    async promiseExecute({ promised }, number) {
      const connection = await promised.getConnection()
      const [[row]] = await connection.execute('SELECT 1 AS value')
      connection.release()
      return row.value + number
    },
  },
})
