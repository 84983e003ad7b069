// A Node service without any code of Laneway: `GET /c/d` says who it is, calls service `c` with `/d`, and puts the answers in
// one line. CommonJS, since OpenTelemetry sees no ES modules without a loader.
const { createServer, get } = require('node:http')

const { SELF } = process.env

const viaHttp = url =>
  new Promise((resolve, reject) => {
    get(url, async response => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      if (response.statusCode === 200) resolve(text)
      else reject(new Error(text))
    }).on('error', reject)
  })

const viaFetch = async url => {
  const response = await fetch(url)
  const text = await response.text()
  if (response.status === 200) return text
  throw new Error(text)
}

let turn = 0
const server = createServer(async (request, response) => {
  const said = `${SELF}[${request.headers['x-mse-tag'] ?? '-'}]`
  const [next, ...rest] = request.url.slice(1).split('/')
  try {
    const call = turn++ % 2 === 0 ? viaHttp : viaFetch
    response.end(next === '' ? said : `${said} ${await call(`http://${next}/${rest.join('/')}`)}`)
  } catch (error) {
    response.statusCode = 502
    response.end(`${said} ${error?.cause ?? error}`)
  }
})
// Longer than the pools of Java clients keep a connection idle, as behind every pooling client: they would send a request on a
// connection that Node closes at that moment.
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
