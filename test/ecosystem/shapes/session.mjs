// Requests with the cookie of a session that the store knows.
import { createHmac } from 'node:crypto'
import { appRows } from './app.mjs'

export const SECRET = 'a secret of at least thirty-two characters'

const sign = id => `s:${id}.${createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')}`

/** `request` of a row. */
export const withCookie = number => ({ headers: { cookie: `sid=${encodeURIComponent(sign(`session-${number}`))}` } })

/** Puts the sessions into a store of express-session. */
export async function fill(store, extra = {}) {
  const cookie = { path: '/', originalMaxAge: 600_000, expires: new Date(Date.now() + 600_000).toISOString() }
  const put = number =>
    new Promise((resolve, reject) => {
      const session = { cookie, user: `user ${number}`, ...extra }
      store.set(`session-${number}`, session, error => (error ? reject(error) : resolve()))
    })
  await Promise.all(Array.from({ length: 40 }, (_, number) => put(number)))
}

/** Express behind a session store: a middleware, the handler, and what runs after an await. */
export function expressSessionRows({ framework = 'express', connect, ...row }) {
  return appRows({
    request: withCookie,
    ...row,
    async build(kit, ask) {
      const express = kit.require(framework)
      const session = kit.require('express-session')
      const { store, close } = await connect(kit, session)
      await fill(store)
      const app = express()
      app.use(session({ store, name: 'sid', secret: SECRET, resave: true, saveUninitialized: false }))
      // Behind a middleware that loses the lane, the adapter brings it back.
      if (kit.laneway !== undefined) app.use(kit.laneway.express())
      app.use((req, _res, next) => {
        ask(req, 'middleware').then(body => {
          req.seen = [body]
          next()
        }, next)
      })
      app.use(async (req, res) => {
        const handler = await ask(req, 'handler')
        const later = await ask(req, 'later')
        res.json([req.session.user, ...req.seen, handler, later])
      })
      return { handler: app, close }
    },
  })
}
