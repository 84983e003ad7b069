import Koa from 'koa'

const app = new Koa()
app.use(async (ctx, next) => {
  await next()
  ctx.body += ` ${await (await fetch('http://svc/')).text()}`
})
app.use(async ctx => {
  ctx.body = await (await fetch('http://svc/')).text()
})
const server = app.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
