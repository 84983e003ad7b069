// An unchanged service of CommonJS: calls the URL of the query with node:http, or with undici, if there is one.
const { createServer, get } = require('node:http')
const { request } = require('undici')

const server = createServer((req, res) => {
  const { searchParams } = new URL(req.url, 'http://service')
  const url = searchParams.get('url')
  const headers = JSON.stringify(Object.keys(req.headers).filter(name => name.startsWith('x-laneway')))
  const failed = error => res.writeHead(500).end(String(error.stack))
  if (url === null) res.end(headers)
  else if (searchParams.get('client') === 'undici') {
    request(url)
      .then(async ({ body }) => res.end(headers + (await body.text())))
      .catch(failed)
  } else {
    get(url, answer => answer.on('data', chunk => res.write(headers + chunk)).on('end', () => res.end())).on(
      'error',
      failed,
    )
  }
})
// A busy machine takes its time between two calls.
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
