// A gRPC server that knows nothing of lanes. Answers with what it sees.
import * as grpc from '@grpc/grpc-js'
import { currentLane } from '@laneway/core'
import { ECHO } from './grpc-echo.mjs'

const server = new grpc.Server()
server.addService(ECHO, {
  say(call, callback) {
    const lane = currentLane()?.header ?? 'none'
    setImmediate(() =>
      callback(null, `${lane} at ${process.argv[2]}, tag ${JSON.stringify(call.metadata.get('x-mse-tag'))}`),
    )
  },
})
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error
  console.log(`serving on ${port}`)
})
