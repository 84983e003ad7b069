// An unchanged service: `/?client=got&url=http://svc/` calls the URL with that client and tells what came back.

import http, { get } from 'node:http'
import { createRequire } from 'node:module'
import net from 'node:net'

const require = createRequire(import.meta.url)

const overHttp = (url, options) =>
  new Promise((resolve, reject) => {
    const request = get(url, options, response => {
      let text = ''
      response.on('data', chunk => (text += chunk))
      response.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })

const clients = {
  http: url => overHttp(url, {}),
  'no agent': url => overHttp(url, { agent: false }),
  'own connection': url => overHttp(url, { createConnection: options => net.connect(options) }),
  fetch: async url => (await fetch(url)).text(),
  undici: async url => {
    const { statusCode, body } = await require('undici').request(url)
    return `${statusCode === 200 ? '' : statusCode}${await body.text()}`
  },
  axios: async url => (await require('axios').get(url, { responseType: 'text' })).data,
  got: async url => (await import('got')).got(url).text(),
}

const server = http.createServer(async (req, res) => {
  const { searchParams } = new URL(req.url, 'http://relay')
  try {
    res.end(await clients[searchParams.get('client') ?? 'http'](searchParams.get('url')))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
