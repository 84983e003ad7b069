// `/` answers by itself; `/injected` asks the same route through inject(), as some applications do between their parts.
import fastify from 'fastify'

const app = fastify()
const call = async () => (await fetch('http://svc/')).text()
app.get('/', async () => `${await call()} ${await call()}`)
app.get('/injected', async request => {
  const { lane } = request.query
  return (await app.inject({ url: '/', headers: lane ? { 'x-mse-tag': lane } : {} })).payload
})
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`serving on ${app.server.address().port}`)
