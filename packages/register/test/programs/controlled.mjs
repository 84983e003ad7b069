// Calls a service three times for each request, by three clients, with pauses in which Laneway may be switched.
import { createServer, get } from 'node:http'
import { health } from '@laneway/register'
import { request } from 'undici'

const target = process.argv[2]
const pause = () => new Promise(resolve => setTimeout(resolve, 10))

const byHttp = () =>
  new Promise((resolve, reject) => {
    get(target, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
const byFetch = async () => (await fetch(target)).text()
const byUndici = async () => (await request(target)).body.text()

const server = createServer(async (req, res) => {
  if (req.url === '/health') return res.end(JSON.stringify(health()))
  try {
    const answers = []
    for (const call of [byHttp, byFetch, byUndici]) {
      answers.push(await call())
      await pause()
    }
    res.end(answers.join(' '))
  } catch (error) {
    res.writeHead(502).end(String(error?.cause ?? error))
  }
})
// Longer than any load: a connection that closes while it is idle would look like a fault.
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
