// Service C as a gRPC server: the end of the chain with --grpc.
import grpc from '@grpc/grpc-js'
import { currentLane } from '@laneway/core'
import { laneInterceptor } from '@laneway/grpc'
import { join, leaveDiscovery } from './discovery.js'
import { GREETER } from './greeter.js'

const tag = process.env.LANEWAY_TAG ?? ''
const host = process.env.HOST ?? '127.0.0.1'

const server = new grpc.Server({ interceptors: [laneInterceptor()] })
server.addService(GREETER, {
  greet(call, callback) {
    const seen = process.env.SHOW_LANES
      ? `{${call.metadata.get('x-mse-tag').join()}|${currentLane()?.header ?? ''}}`
      : ''
    setTimeout(() => callback(null, `C${tag}[${host}:${port}]${seen}`), Math.random() * 5)
  },
})
const address = `${host}:${process.env.PORT ?? 0}`
const port = await new Promise((resolve, reject) => {
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  )
})
const leave = await join('sc-C', port)
console.log(`serving on ${port}`)
process.once('SIGTERM', async () => {
  await leave()
  await new Promise(resolve => server.tryShutdown(resolve))
  await leaveDiscovery()
})
