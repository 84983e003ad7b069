// gRPC in the table: what the front service calls over it, the client of such calls, and a front service that is called by it.
import * as grpc from '@grpc/grpc-js'
import { textMethod } from '../grpc/text-method.cjs'
import { later } from './delays.mjs'

const method = (name, ...streams) => textMethod(`/test.Places/${name}`, ...streams)

const PLACES = { unary: method('unary', false, false), chat: method('chat', true, true) }
const FRONT = { run: { ...method('run', true, false), path: '/run' } }

/** What repeats a call that is refused once: the policy of grpc-js itself. */
const RETRY = {
  'grpc.service_config': JSON.stringify({
    methodConfig: [
      {
        name: [{ service: 'test.Places' }],
        retryPolicy: {
          maxAttempts: 3,
          initialBackoff: '0.001s',
          maxBackoff: '0.01s',
          backoffMultiplier: 1,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
  }),
}

export function bind(server) {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}

/** An instance that answers with its place. @param record - is told what arrives, and returns the id of the request */
export async function startPlace(place, record, refused) {
  const see = metadata => {
    const values = metadata.getMap()
    const tags = metadata.get('x-mse-tag').flatMap(value => String(value).split(', '))
    return record(place, { headers: { get: name => values[name] }, tags })
  }
  const server = new grpc.Server()
  server.addService(PLACES, {
    unary(call, callback) {
      const id = see(call.metadata)
      later(() => {
        if (call.request !== '/busy' || refused.has(id)) return callback(null, place)
        refused.add(id)
        callback({ code: grpc.status.UNAVAILABLE, details: 'busy' })
      })
    },
    chat(call) {
      const id = see(call.metadata)
      let path = ''
      call.on('data', part => {
        path += part
      })
      call.on('end', () => {
        later(() => {
          if (path === '/busy' && !refused.has(id)) {
            refused.add(id)
            call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'busy' })
            return
          }
          call.write(place)
          call.end()
        })
      })
    },
  })
  return { port: await bind(server), close: () => server.forceShutdown() }
}

const Client = grpc.makeGenericClientConstructor(PLACES, 'Places')

/** The client of a front service. @param kind - `unary` or `chat` */
export function onGrpc(kind, wiring, backend, condition) {
  const made = []
  const connect = (target, options = {}) => {
    const own = condition === 'retry' ? RETRY : {}
    const client = new Client(target, grpc.credentials.createInsecure(), { ...own, ...options })
    made.push(client)
    return client
  }
  const next = wiring.grpc(connect, backend.grpcInstances)
  return {
    call(url, { headers, signal }) {
      const { client, tag } = next()
      const metadata = new grpc.Metadata()
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
      if (tag) metadata.set('x-mse-tag', tag)
      const { pathname } = new URL(url)
      return new Promise((resolve, reject) => {
        const cancelled = call => signal?.addEventListener('abort', () => call.cancel())
        if (kind === 'unary') {
          cancelled(
            client.unary(pathname, metadata, (error, value) =>
              error === null ? resolve({ status: 200, text: value }) : reject(error),
            ),
          )
          return
        }
        const call = client.chat(metadata)
        cancelled(call)
        let said = ''
        call.on('data', part => {
          said += part
        })
        call.on('error', reject)
        call.on('end', () => resolve({ status: 200, text: said }))
        call.write(pathname)
        call.end()
      })
    },
    close() {
      for (const client of made) client.close()
    },
  }
}

/** A front service that is called by gRPC. */
export async function onGrpcServer(wiring, handle) {
  const server = new grpc.Server(wiring.grpcServer?.() ?? {})
  const run = (call, callback) => {
    call.headers = call.metadata.getMap()
    if (call.headers['x-raw'] === undefined) call.on('data', () => {})
    handle(call).then(
      value => callback(null, value),
      error => callback({ code: grpc.status.INTERNAL, details: String(error?.stack ?? error) }),
    )
  }
  server.addService(FRONT, { run: wiring.grpcHandler?.(run) ?? run })
  return { port: await bind(server), http2: true, grpc: true, close: () => server.forceShutdown() }
}
