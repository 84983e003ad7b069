// An HTTP server that calls a gRPC service for each request; it knows nothing of lanes.
import http from 'node:http'
import * as grpc from '@grpc/grpc-js'
import { ECHO } from './grpc-echo.mjs'

const Client = grpc.makeGenericClientConstructor(ECHO, 'Echo')
const client = new Client(process.argv[2], grpc.credentials.createInsecure())

const server = http.createServer((request, response) => {
  const metadata = new grpc.Metadata()
  const tag = new URL(request.url, 'http://a').searchParams.get('tag')
  if (tag !== null) metadata.set('x-mse-tag', tag)
  client.say('x', metadata, (error, value) => {
    if (error === null) response.end(value)
    else response.end(`code ${error.code} ${error.metadata.get('laneway-code')}`)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
