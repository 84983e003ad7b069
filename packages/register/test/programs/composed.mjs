// Calls TARGET through a pool with interceptors, and through a RetryAgent.
import http from 'node:http'
import { Agent, interceptors, RetryAgent, request } from 'undici'

const composed = new Agent({ connections: 2 }).compose(interceptors.retry({ maxRetries: 1, minTimeout: 1 }))
const server = http.createServer(async (_req, res) => {
  try {
    const calls = [composed, new RetryAgent(new Agent())].map(dispatcher => request(process.env.TARGET, { dispatcher }))
    res.end((await Promise.all(calls.map(async call => (await call).body.text()))).join(' '))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
