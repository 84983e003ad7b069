// What the README tells users to write, compiled against each version of grpc-js that users have, and against connect.
import { createClient as createConnectClient, type Transport } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { Channel, Client, credentials, makeGenericClientConstructor, Server } from '@grpc/grpc-js'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { laneTransport } from '@laneway/grpc/connect'

const resolver = createLaneResolver({ sources: [createStaticSource({})], services: ['sc-b'] })

export const server = new Server({ interceptors: [laneInterceptor({ trust: 'edge' })] })
// @ts-expect-error: trust is a word or a function
laneInterceptor({ trust: 'everybody' })

const options = { ...laneChannel({ resolver, Channel }), 'grpc.keepalive_time_ms': 10_000 }
export const client = new Client('sc-b:50051', credentials.createInsecure(), options)
const Greeter = makeGenericClientConstructor({}, 'Greeter')
export const generic = new Greeter('sc-b:50051', credentials.createInsecure(), laneChannel({ resolver }))
// @ts-expect-error: the resolver is an object
laneChannel({ resolver: 'sc-b' })
// @ts-expect-error: the class, and not a channel
laneChannel({ Channel: 'grpc-js' })

const transport: Transport = laneTransport('http://sc-b:50051', target => createGrpcTransport(target), { resolver })
export const echo = createConnectClient({} as never, transport)
// @ts-expect-error: a transport has its own time for a connection
laneTransport('http://sc-b:50051', target => createGrpcTransport(target), { connectTimeoutMs: 1 })
// @ts-expect-error: it makes a transport
laneTransport('http://sc-b:50051', () => undefined, { resolver })
