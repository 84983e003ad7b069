// Serves what a Fastify application answers to an injected request.
import http from 'node:http'
import fastify from 'fastify'

const app = fastify()
app.get('/', async () => 'served')
const server = http.createServer(async (req, res) =>
  res.end((await app.inject({ url: '/', headers: req.headers })).payload),
)
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
