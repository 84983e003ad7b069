// grpc-java and Node services in both directions; grpc-java reads and writes the key with two interceptors.
import { credentials, Metadata } from '@grpc/grpc-js'
import { load, rightAnswer } from './chains.mjs'
import { createHopClient } from './grpc-hop.mjs'

const entry = 'grpc-service.mjs'

const services = broken => [
  { service: 'grpc-java', kind: 'grpc-java' },
  { service: 'grpc-java', kind: 'grpc-java', tag: 'gray' },
  { service: 'node-code', kind: 'node-code', entry },
  { service: 'node-code', kind: 'node-code', entry, tag: 'gray' },
  { service: 'node-code', kind: 'node-code', entry, tag: 'blue' },
  { service: 'node-zero', kind: 'node', entry, ...(broken && { env: { LANEWAY_TRUST: 'edge' } }) },
  { service: 'node-zero', kind: 'node', entry, tag: 'gray' },
]

const CHAINS = [
  ['laneChannel to grpc-java', ['node-code', 'grpc-java']],
  ['a Node client without code to grpc-java', ['node-zero', 'grpc-java']],
  ['grpc-java to laneInterceptor and back', ['grpc-java', 'node-code', 'grpc-java']],
  ['grpc-java to a Node server without code and back', ['grpc-java', 'node-zero', 'grpc-java']],
]
const METHODS = [
  ['go', 'unary'],
  ['chat', 'streams'],
]

export const checks = CHAINS.length * METHODS.length * 3

export async function runGrpc(world, { requests, broken, report }) {
  await world.add(services(broken))
  for (const [title, chain] of CHAINS) {
    const { port } = world.instances.find(one => one.service === chain[0] && one.tag === '')
    const client = createHopClient(`127.0.0.1:${port}`, credentials.createInsecure())
    for (const [method, name] of METHODS) {
      const result = await load({
        perLane: requests,
        call: lane => {
          const metadata = new Metadata()
          if (lane !== undefined) metadata.set('x-mse-tag', lane)
          return client[method](chain.slice(1).join('/'), metadata)
        },
        isRight: (lane, answer) => answer === rightAnswer(world.instances, chain, lane),
      })
      report(`${title}, ${name}`, chain, result)
    }
    client.close()
  }
}
