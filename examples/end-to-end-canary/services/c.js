// Service C, plain node:http: the end of the chain. It is busy now and then, as real services are.
import { createServer } from 'node:http'
import { laneHandler } from '@laneway/http'
import { instance, serve } from './instance.js'
import { consume } from './queue.js'

const seen = new Set()

const server = createServer(
  laneHandler((req, res) => {
    req.resume()
    req.on('end', () => {
      const path = instance('C', req)
      const id = String(req.headers['x-request-id'] ?? '')
      if (req.method === 'GET' && /0$/.test(id) && !seen.has(id)) {
        seen.add(id)
        res.writeHead(503, { 'content-type': 'text/plain' }).end(path)
      } else setTimeout(() => res.writeHead(200, { 'content-type': 'text/plain' }).end(path), Math.random() * 5)
    })
  }),
)

/** An order that came by a queue. */
async function ship(id, from) {
  if (/0$/.test(id) && !seen.has(id)) {
    seen.add(id)
    throw new Error('busy')
  }
  return instance('C', from)
}

await serve(server, 'sc-C', undefined, port => consume('shipping', port, ship))
