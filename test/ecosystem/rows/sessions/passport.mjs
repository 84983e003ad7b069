import { promisify } from 'node:util'
import { appRows } from '../../shapes/app.mjs'
import { fill, SECRET, withCookie } from '../../shapes/session.mjs'

/** The user of a session is found by a callback of mysql. */
export default appRows({
  library: 'passport',
  use: 'deserializeUser with mysql, memory store',
  needs: ['mariadb'],
  request: withCookie,
  async build({ require, resources, laneway }, ask) {
    const express = require('express')
    const session = require('express-session')
    const { Passport } = require('passport')
    const pool = require('mysql').createPool(`${resources.mariadb.url}?connectionLimit=2`)
    const query = promisify(pool.query).bind(pool)
    await Promise.all([query('SELECT SLEEP(0.02)'), query('SELECT SLEEP(0.02)')])
    const passport = new Passport()
    passport.deserializeUser((id, done) => {
      pool.query('SELECT ? AS id', [id], (error, rows) => done(error, { ...rows?.[0] }))
    })
    const store = new session.MemoryStore()
    await fill(store, { passport: { user: 'u-1' } })
    const app = express()
    app.use(session({ store, name: 'sid', secret: SECRET, resave: false, saveUninitialized: false }))
    app.use(passport.initialize(), passport.session())
    if (laneway !== undefined) app.use(laneway.express())
    app.use(async (req, res) => {
      const handler = await ask(req, 'handler')
      res.json([req.user, handler, await ask(req, 'later')])
    })
    return { handler: app, close: promisify(pool.end).bind(pool) }
  },
})
