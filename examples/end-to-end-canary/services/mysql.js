// What B has in its database. Loaded only where there is one.
import { createPool } from 'mysql2/promise'

const pool = createPool({ uri: process.env.MYSQL_URL, connectionLimit: 4, connectTimeout: 3000 })

/** The users, as text. */
export async function users() {
  const [rows] = await pool.query('SELECT id, name, age, email FROM user ORDER BY id')
  return JSON.stringify(rows)
}

export const closeMysql = () => pool.end()
