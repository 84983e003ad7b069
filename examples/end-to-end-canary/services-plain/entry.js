// The entrance: passes everything on to A. That it believes no tag of a client, and colours the requests of one user, is
// in its environment: LANEWAY_TRUST=edge, LANEWAY_RULES=<a file>.
import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { request } from 'undici'
import { serve } from './instance.js'

const server = createServer(async (req, res) => {
  try {
    const answer = await request(`http://sc-a${req.url}`, {
      method: req.method,
      headers: { 'x-request-id': req.headers['x-request-id'] ?? '' },
      body: req.method === 'POST' ? req : undefined,
    })
    res.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] ?? 'text/plain' })
    pipeline(answer.body, res, () => {})
  } catch (error) {
    res.writeHead(502, { 'content-type': 'text/plain' }).end(`${error.message}\n`)
  }
})

await serve(server)
