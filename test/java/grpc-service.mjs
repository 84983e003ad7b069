// A gRPC service on grpc-js: a message `c/d` says who it is, calls service `c` with `d`, and puts the answers in one line.
// With NACOS it uses the packages of Laneway; without, its code knows nothing of lanes and of Nacos.
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import { createHopClient, definition } from './grpc-hop.mjs'

const { SELF, NACOS } = process.env
const { serverOptions, clientOptions, announce } = NACOS === undefined ? {} : await lanesByCode()
const clients = new Map()

const server = new Server(serverOptions ?? {})
server.addService(definition, {
  go: (call, done) => hop(call.request, call.metadata, 'go').then(said => done(null, said), done),
  chat: call => {
    const waiting = []
    call.on('data', hops => {
      waiting.push(hop(hops, call.metadata, 'chat').then(said => call.write(said)))
    })
    call.on('end', () => {
      Promise.all(waiting).then(
        () => call.end(),
        error => call.destroy(error),
      )
    })
    call.on('error', () => {})
  },
})
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), async (error, port) => {
  if (error) throw error
  await announce?.(port)
  console.log(`port ${port}`)
})

async function hop(hops, metadata, method) {
  const said = `${SELF}[${metadata.get('x-mse-tag')[0] ?? '-'}]`
  if (hops === '') return said
  const [next, ...rest] = hops.split('/')
  if (!clients.has(next)) clients.set(next, createHopClient(next, credentials.createInsecure(), clientOptions))
  return `${said} ${await clients.get(next)[method](rest.join('/'))}`
}

async function lanesByCode() {
  const { createLaneResolver } = await import('@laneway/discovery')
  const { laneChannel, laneInterceptor } = await import('@laneway/grpc')
  const { createNacosClient, createNacosSource, registerInstance } = await import('@laneway/nacos')
  const { SERVICE, LANEWAY_TAG = '' } = process.env
  const patience = Number(process.env.PATIENCE_MS)
  const nacos = createNacosClient({ servers: NACOS })
  const resolver = createLaneResolver({ sources: [createNacosSource(nacos)], lookupTimeoutMs: patience })
  return {
    serverOptions: { interceptors: [laneInterceptor()] },
    clientOptions: laneChannel({ resolver, connectTimeoutMs: patience }),
    announce: port => registerInstance(nacos, { service: SERVICE, ip: '127.0.0.1', port, lane: LANEWAY_TAG || 'base' }),
  }
}
