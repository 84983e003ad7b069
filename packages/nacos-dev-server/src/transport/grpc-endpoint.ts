import type { Socket } from 'node:net'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js'
import type { ResolvedOptions } from '../options.js'
import { decodePayload, encodePayload, type Payload } from './payload.js'

/** A Java server takes messages up to this size; grpc-js would stop at 4 MiB. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024

/** How long a connection lives at most after its GOAWAY; a day stands for "the client decides". */
const GOAWAY_GRACE_MS = 24 * 60 * 60 * 1000

/** The bi-directional stream of a connection. */
export type BiStream = ServerDuplexStream<Payload, Payload>

interface GrpcHandlers {
  /** `peer` is `ip:port` of the connection's far side. Answers by calling `answer`, or never. */
  readonly onUnary: (peer: string, request: Payload, answer: (payload: Payload) => void) => void
  readonly onStream: (peer: string, stream: BiStream) => void
}

/** The two gRPC methods of Nacos, served on sockets that are handed in. */
export interface GrpcEndpoint {
  /** Returns a function that sends GOAWAY (code 0) on that connection. */
  readonly serve: (socket: Socket) => () => void
  readonly close: () => void
}

/**
 * Serves the unary and the bi-directional method. The sockets come from outside, because the connection is the session
 * and the faults act on it.
 */
export function createGrpcEndpoint(tls: ResolvedOptions['tls'], handlers: GrpcHandlers): GrpcEndpoint {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  })
  const onUnary = (call: ServerUnaryCall<Payload, Payload>, callback: sendUnaryData<Payload>): void => {
    handlers.onUnary(call.getPeer(), call.request, payload => callback(null, payload))
  }
  const onStream = (stream: BiStream): void => handlers.onStream(stream.getPeer(), stream)
  server.register('/Request/request', onUnary, encodePayload, decodePayload, 'unary')
  server.register('/BiRequestStream/requestBiStream', onStream, encodePayload, decodePayload, 'bidi')
  const serverCredentials = credentialsOf(tls)
  return {
    serve: socket => {
      // One injector per connection, because draining one is grpc-js' only way to a GOAWAY.
      const injector = server.createConnectionInjector(serverCredentials)
      socket.once('close', () => injector.destroy())
      injector.injectConnection(socket)
      return () => injector.drain(GOAWAY_GRACE_MS)
    },
    close: () => server.forceShutdown(),
  }
}

function credentialsOf(tls: ResolvedOptions['tls']): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const clientCa = tls.clientCa === undefined ? null : Buffer.from(tls.clientCa)
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }
  return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null)
}
