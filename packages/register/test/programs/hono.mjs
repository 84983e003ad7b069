import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.use(async (c, next) => {
  const before = await (await fetch('http://svc/')).text()
  await next()
  c.res = new Response(`${await c.res.text()} ${before}`)
})
app.get('/', async c => c.text(await (await fetch('http://svc/')).text()))
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`serving on ${port}`))
