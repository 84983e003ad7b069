// Service C as a gRPC server: the end of the chain with --grpc.
import grpc from '@grpc/grpc-js'
import { GREETER } from './greeter.js'

const tag = process.env.LANEWAY_TAG ?? ''
// Only to show what a call saw; the service needs nothing of Laneway.
const { currentLane } = process.env.SHOW_LANES ? await import('@laneway/core') : {}

const server = new grpc.Server()
server.addService(GREETER, {
  greet(call, callback) {
    const seen = currentLane ? `{${call.metadata.get('x-mse-tag').join()}|${currentLane()?.header ?? ''}}` : ''
    setTimeout(() => callback(null, `C${tag}[127.0.0.1:${port}]${seen}`), Math.random() * 5)
  },
})
const address = `127.0.0.1:${process.env.PORT ?? 0}`
const port = await new Promise((resolve, reject) => {
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  )
})
console.log(`serving on ${port}`)
