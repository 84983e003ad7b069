// The hop from b to c over gRPC: a server that can be made to refuse and to reset, and the client that calls it.
import { credentials, Metadata, makeGenericClientConstructor, Server, ServerCredentials } from '@grpc/grpc-js'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { textMethod } from '../grpc/text-method.cjs'

const HOP = { ask: textMethod('/chaos.Hop/Ask') }

/**
 * @param answer - gets the tag on the wire
 * @param resets - whether an answer breaks off behind its head
 */
export async function serveGrpc(answer, resets, options) {
  const server = new Server({ interceptors: [laneInterceptor(options)] })
  const listen = port =>
    new Promise((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
  let port = 0
  const hangUp = () => server.drain(`127.0.0.1:${port}`, 0)
  server.addService(HOP, {
    ask(call, callback) {
      answer(call.metadata.get('x-mse-tag').join()).then(
        said => {
          if (!resets()) return callback(null, said)
          call.sendMetadata(new Metadata())
          setImmediate(hangUp)
        },
        error => callback(error),
      )
    },
  })
  port = await listen(0)
  return {
    port,
    refuse() {
      server.unbind(`127.0.0.1:${port}`)
      hangUp()
    },
    accept: () => listen(port),
    close: () => new Promise(resolve => server.tryShutdown(resolve)),
  }
}

/** @param deadlineMs - of one call */
export function callGrpc(service, resolver, deadlineMs) {
  const Client = makeGenericClientConstructor(HOP, 'Hop')
  const client = new Client(service, credentials.createInsecure(), laneChannel({ resolver, connectTimeoutMs: 500 }))
  return () =>
    new Promise((resolve, reject) => {
      client.ask('x', { deadline: Date.now() + deadlineMs }, (error, said) => (error ? reject(error) : resolve(said)))
    })
}
