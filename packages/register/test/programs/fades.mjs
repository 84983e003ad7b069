// A service that closes at its first request, and ends because nothing is left to do.
import http from 'node:http'

const server = http.createServer((_req, res) => {
  res.setHeader('connection', 'close')
  res.end('done')
  server.close()
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
