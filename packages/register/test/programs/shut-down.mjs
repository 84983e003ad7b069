// A service whose first request makes it leave, and that goes on serving.
import http from 'node:http'
import { shutdown } from '@laneway/register'

let text = 'here'
const server = http.createServer((_req, res) => {
  res.end(text)
  text = 'left'
  void shutdown()
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
