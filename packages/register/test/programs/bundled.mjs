// What a bundler takes: everything imported, undici included.
import http from 'node:http'
import { Agent, interceptors, request } from 'undici'

const dispatcher = new Agent({ connections: 2 }).compose(interceptors.retry({ maxRetries: 2, minTimeout: 1 }))
const server = http.createServer(async (_req, res) => {
  try {
    const calls = [request('http://svc/'), request('http://svc/', { dispatcher })]
    const texts = await Promise.all(calls.map(async call => (await call).body.text()))
    res.end(texts.join(' '))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
