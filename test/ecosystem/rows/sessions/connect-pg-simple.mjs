import { expressSessionRows } from '../../shapes/session.mjs'

export default expressSessionRows({
  library: 'connect-pg-simple',
  use: 'express-session with pg',
  needs: ['postgresql'],
  async connect({ require, resources }, session) {
    const { Pool } = require('pg')
    const pool = new Pool({ connectionString: resources.postgresql.url, max: 2 })
    const PgStore = require('connect-pg-simple')(session)
    const columns = 'sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL'
    await pool.query(`CREATE TABLE IF NOT EXISTS session (${columns})`)
    return { store: new PgStore({ pool, pruneSessionInterval: false }), close: () => pool.end() }
  },
})
