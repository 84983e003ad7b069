// A service without any code of Laneway. It says who it is and which lane came, and calls the next services in their order.
// SELF: its name. PROTOCOL: how it calls and is called; the entrance is always called over HTTP. ENTRANCE: it is that.
import { createServer, get } from 'node:http'
import grpc from '@grpc/grpc-js'
import textMethods from '../grpc/text-method.cjs'

const { SELF, PROTOCOL, ENTRANCE } = process.env
const definition = { go: textMethods.textMethod('/laneway.test.Hop/Go') }
/** grpc-js takes an empty text for no message. */
const END = '-'
const clients = new Map()
let calls = 0

/** @param headers - `[tag, baggage]` as they came */
async function hop([tag = '-', baggage = ''], way) {
  const said = `${SELF}[${tag}${baggage.includes(`x-mse-tag=${tag}`) ? ' in baggage' : ''}]`
  if (way === END) return said
  const [next, ...rest] = way.split('/')
  const call = PROTOCOL === 'grpc' ? viaGrpc : calls++ % 2 === 0 ? viaHttp : viaFetch
  return `${said} ${await call(next, rest.join('/') || END)}`
}

function viaHttp(service, way) {
  return new Promise((resolve, reject) => {
    get(`http://${service}/${way}`, async response => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      if (response.statusCode === 200) resolve(text)
      else reject(new Error(text))
    }).on('error', reject)
  })
}

async function viaFetch(service, way) {
  const response = await fetch(`http://${service}/${way}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

function viaGrpc(service, way) {
  const Client = grpc.makeGenericClientConstructor(definition, 'Hop')
  if (!clients.has(service)) clients.set(service, new Client(service, grpc.credentials.createInsecure()))
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 30_000
    clients.get(service).go(way, { deadline }, (error, said) => (error ? reject(error) : resolve(said)))
  })
}

if (PROTOCOL === 'grpc' && ENTRANCE === undefined) {
  const server = new grpc.Server()
  server.addService(definition, {
    go: ({ request, metadata }, done) => {
      const carriers = ['x-mse-tag', 'baggage'].map(key => metadata.get(key)[0])
      hop(carriers, request).then(said => done(null, said), done)
    },
  })
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error
    console.log(`port ${port}`)
  })
} else {
  const server = createServer(async ({ url, headers }, response) => {
    try {
      response.end(await hop([headers['x-mse-tag'], headers.baggage], url.slice(1)))
    } catch (error) {
      response.statusCode = 502
      response.end(String(error?.cause ?? error))
    }
  })
  server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
}
