// Calls TARGET in ways that keep answers, and tells what the program sees of them.
import http from 'node:http'
import got from 'got'
import { Agent, interceptors, request } from 'undici'

const { TARGET } = process.env
const cached = got.extend({ cache: new Map() })
const noting = dispatch => (options, handler) => {
  noting.headers = options.headers
  return dispatch(options, handler)
}
const composed = new Agent().compose(noting)
const caching = new Agent().compose(interceptors.cache())
const pairs = [
  ['x-a', '1'],
  ['x-b', '2'],
]

const ways = {
  '/http': () =>
    new Promise(resolve => http.get(TARGET, response => response.resume().on('end', () => resolve(response.headers)))),
  '/composed': async () => {
    const given = new Map(pairs)
    const { headers, body } = await request(TARGET, { dispatcher: composed, headers: given })
    await body.dump()
    return { vary: headers.vary, given: noting.headers === given }
  },
  '/got': async () => (await cached(TARGET)).body,
  '/undici': async () => (await request(TARGET, { dispatcher: caching, headers: pairs })).body.text(),
}

const server = http.createServer(async (req, res) => {
  try {
    res.end(JSON.stringify(await ways[req.url]()))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
