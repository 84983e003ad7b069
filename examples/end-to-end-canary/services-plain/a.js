// Service A, Express: the entrance of the chain. It calls B.
import express from 'express'
import { Agent, fetch, interceptors } from 'undici'
import { follow } from './config.js'
import { instance, serve } from './instance.js'

const dispatcher = new Agent({ connections: 8 }).compose(interceptors.retry({ maxRetries: 5, minTimeout: 20 }))

const config = await follow('sc-A.config')

const app = express()
app.use(express.text({ type: '*/*' }))

app.all('/a', async (req, res) => {
  const response = await fetch('http://sc-b/b', {
    method: req.method,
    headers: { 'x-request-id': req.get('x-request-id') ?? '' },
    body: req.method === 'POST' ? req.body : undefined,
    dispatcher,
  })
  const path = `${instance('A', req)}[config=${config.current ?? 'none'}] -> ${await response.text()}`
  res.status(response.status).type('text').send(path)
})

await serve(app)
