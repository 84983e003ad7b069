// A service that ends as its last argument says when it is told to.
import http from 'node:http'

const [, , end] = process.argv
const server = http.createServer((req, res) => setTimeout(() => res.end('done'), Number(req.headers['x-ms'] ?? 0)))
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
// As the pool of a database does.
if (end === 'stays') setInterval(() => {}, 60_000)
if (end === 'closes') process.on('SIGTERM', () => server.close())
if (end === 'exits') process.on('SIGTERM', () => setTimeout(() => process.exit(7), 300))
if (end === 'shuts down') {
  const { shutdown } = await import('@laneway/register')
  process.on('SIGTERM', async () => {
    await shutdown()
    console.log('left')
    server.close()
  })
}
