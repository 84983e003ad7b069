// The gRPC service that C offers and B calls with --grpc: one method, texts as they are.
import grpc from '@grpc/grpc-js'

const serialize = text => Buffer.from(text)
const deserialize = bytes => bytes.toString()

export const GREETER = {
  greet: {
    path: '/demo.Greeter/Greet',
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
}

const Greeter = grpc.makeGenericClientConstructor(GREETER, 'Greeter')

/** A function that calls C. @param options - of the client */
export function createGreeter(options = {}) {
  const client = new Greeter('sc-c', grpc.credentials.createInsecure(), options)
  return id =>
    new Promise((resolve, reject) =>
      client.greet(`request ${id}`, (error, text) => (error === null ? resolve(text) : reject(error))),
    )
}
