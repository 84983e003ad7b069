// The service `laneway.test.Hop`: text each way, so nothing has to be generated.
import { Metadata, makeGenericClientConstructor } from '@grpc/grpc-js'
import { textMethod } from '../grpc/text-method.cjs'

const method = (name, stream) => textMethod(`/laneway.test.Hop/${name}`, stream, stream)

export const definition = { go: method('Go', false), chat: method('Chat', true) }
const DEADLINE_MS = 30_000
const Client = makeGenericClientConstructor(definition, 'Hop')

/** A client of the service, with promises: `go` is a unary call, `chat` a stream each way with one message each. */
export function createHopClient(target, credentials, options = {}) {
  const client = new Client(target, credentials, options)
  const due = () => ({ deadline: Date.now() + DEADLINE_MS })
  return {
    go: (hops, metadata = new Metadata()) =>
      new Promise((resolve, reject) => {
        client.go(hops, metadata, due(), (error, said) => (error ? reject(error) : resolve(said)))
      }),
    chat: (hops, metadata = new Metadata()) =>
      new Promise((resolve, reject) => {
        let answer
        const stream = client.chat(metadata, due())
        stream.on('data', said => {
          answer = said
        })
        stream.on('error', reject)
        stream.on('end', () => answer !== undefined && resolve(answer))
        stream.write(hops)
        stream.end()
      }),
    close: () => client.close(),
  }
}
