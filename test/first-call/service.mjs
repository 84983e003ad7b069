// A service without any code of Laneway: says who it is and calls the next one by its name.
import { createServer, get } from 'node:http'

const { SELF, HOST, PORT, NEXT, CLIENT } = process.env

const viaHttp = url =>
  new Promise((resolve, reject) => {
    get(url, async response => resolve((await response.setEncoding('utf8').toArray()).join(''))).on('error', reject)
  })
const viaFetch = async url => (await fetch(url)).text()

const server = createServer(async (request, response) => {
  const tag = request.headers['x-mse-tag'] ?? '-'
  try {
    const rest = NEXT === undefined ? '' : ` ${await (CLIENT === 'fetch' ? viaFetch : viaHttp)(NEXT)}`
    response.end(`${SELF}[${tag}]${rest}`)
  } catch (error) {
    response.statusCode = 502
    response.end(String(error?.cause ?? error))
  }
})
server.listen(Number(PORT), HOST, () => console.log(`serving on ${server.address().port}`))
