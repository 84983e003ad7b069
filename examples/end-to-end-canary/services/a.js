// Service A, Express: the entrance of the chain. It calls B.
import { expressLane } from '@laneway/express'
import { composeLane } from '@laneway/undici'
import express from 'express'
import { Agent, fetch, interceptors } from 'undici'
import { follow, resolver } from './discovery.js'
import { instance, serve } from './instance.js'
import { order } from './queue.js'

const dispatcher = composeLane(
  new Agent({ connections: 8 }),
  { resolver },
  interceptors.retry({ maxRetries: 5, minTimeout: 20 }),
)

const config = await follow('sc-A.config')

const app = express()
app.use(expressLane())
app.use(express.text({ type: '*/*' }))

app.all('/a', async (req, res) => {
  const name = () => `${instance('A', req)}[config=${config.current ?? 'none'}]`
  if (order !== undefined) {
    res.type('text').send(`${name()} -> ${await order('orders', req.get('x-request-id') ?? '')}`)
    return
  }
  const response = await fetch('http://sc-b/b', {
    method: req.method,
    headers: { 'x-request-id': req.get('x-request-id') ?? '' },
    body: req.method === 'POST' ? req.body : undefined,
    dispatcher,
  })
  const path = `${name()} -> ${await response.text()}`
  res.status(response.status).type('text').send(path)
})

await serve(app, 'sc-A')
