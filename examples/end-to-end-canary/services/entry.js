// The entrance: believes no tag that a client sends, colours by rules that it follows, passes everything on to A.
import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { parseLane } from '@laneway/core'
import { laneHandler } from '@laneway/http'
import { watchRules } from '@laneway/rules'
import { composeLane } from '@laneway/undici'
import { Agent, request } from 'undici'
import { resolver } from './discovery.js'
import { serve } from './instance.js'

const gray = parseLane('gray')
const rules = process.env.RULES_FILE
  ? watchRules(process.env.RULES_FILE, { intervalMs: 100 }).laneOf
  : req => (req.headers['user-agent'] === 'xiaoming' ? gray : undefined)
const dispatcher = composeLane(new Agent(), { resolver })

const server = createServer(
  laneHandler(
    async (req, res) => {
      try {
        const answer = await request(`http://sc-a${req.url}`, {
          method: req.method,
          headers: { 'x-request-id': req.headers['x-request-id'] ?? '' },
          body: req.method === 'POST' ? req : undefined,
          dispatcher,
        })
        res.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] ?? 'text/plain' })
        pipeline(answer.body, res, () => {})
      } catch (error) {
        res.writeHead(502, { 'content-type': 'text/plain' }).end(`${error.message}\n`)
      }
    },
    { trust: 'edge', rules },
  ),
)

await serve(server)
