// gRPC calls of each shape, for servers and clients of the suite.
import grpc from '@grpc/grpc-js'
import { textMethod } from '../grpc/text-method.cjs'
import type { Shape } from './plan.js'

const METHODS = {
  unary: textMethod('/suite.Service/Unary'),
  'client-streaming': textMethod('/suite.Service/ClientStreaming', true, false),
  'server-streaming': textMethod('/suite.Service/ServerStreaming', false, true),
  bidi: textMethod('/suite.Service/Bidi', true, true),
} satisfies Record<Shape, grpc.MethodDefinition<string, string>>
const Client = grpc.makeGenericClientConstructor(METHODS, 'Service')

/** Sends a call at most twice. */
export const TWICE = {
  'grpc.service_config': JSON.stringify({
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 2,
          initialBackoff: '0.001s',
          maxBackoff: '0.001s',
          backoffMultiplier: 1,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
  }),
}
export const UNAVAILABLE = Object.assign(new Error('not yet'), { code: grpc.status.UNAVAILABLE })

/** Carries out a request. @param begin - sends the first message of a stream */
type Run = (request: string, metadata: grpc.Metadata, begin: () => void) => Promise<void>

/** What came in `x-laneway-trace`, before any code of Laneway, by the metadata that the handlers get. */
export const askedIn = new WeakMap<grpc.Metadata, string | undefined>()

const noteAsked: grpc.ServerInterceptor = (_method, call) =>
  new grpc.ServerInterceptingCall(call, {
    start: next =>
      next({
        onReceiveMetadata(metadata, next) {
          askedIn.set(metadata, metadata.get('x-laneway-trace')[0]?.toString())
          next(metadata)
        },
      }),
  })

/** @returns the server and its port */
export async function serveGrpc(interceptor: grpc.ServerInterceptor, run: Run): Promise<[grpc.Server, number]> {
  const server = new grpc.Server({ interceptors: [noteAsked, interceptor] })
  type Up = grpc.ServerReadableStream<string, string>
  type Down = grpc.ServerWritableStream<string, string>
  type Both = grpc.ServerDuplexStream<string, string>
  const answer = (call: Up | { metadata: grpc.Metadata }, request: string, done: grpc.sendUnaryData<string>) =>
    run(request, call.metadata, () => {}).then(() => done(null, 'done'), done)
  const stream = (call: Down | Both, request: string) =>
    run(request, call.metadata, () => void call.write('first')).then(
      () => {
        call.write('last')
        call.end()
      },
      error => call.emit('error', error),
    )
  server.addService(METHODS, {
    unary: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) =>
      answer(call, call.request, done),
    'client-streaming': (call: Up, done: grpc.sendUnaryData<string>) =>
      firstOf(call, request => answer(call, request, done)),
    'server-streaming': (call: Down) => stream(call, call.request),
    bidi: (call: Both) => firstOf(call, request => stream(call, request)),
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return [server, port]
}

/** The messages after the first one are read, and dropped. */
function firstOf(call: NodeJS.EventEmitter, use: (request: string) => void): void {
  let isFirst = true
  call.on('data', (request: string) => {
    if (isFirst) use(request)
    isFirst = false
  })
}

export interface GrpcClient {
  /** @param cut - cancels the call at the first message */
  call(shape: Shape, request: string, signal: AbortSignal, cut: boolean): Promise<void>
  close(): void
}

export function createGrpcClient(target: string, options: object): GrpcClient {
  const client = new Client(target, grpc.credentials.createInsecure(), options)
  return {
    call: (shape, request, signal, cut) =>
      new Promise((resolve, reject) => {
        const { requestStream, responseStream } = METHODS[shape]
        const made = client[shape]!(
          ...(requestStream ? [] : [request]),
          ...(responseStream ? [] : [(error: Error | null) => (error === null ? resolve() : reject(error))]),
        ) as unknown as grpc.ClientDuplexStream<string, string>
        signal.addEventListener('abort', () => made.cancel())
        if (responseStream) {
          made.on('data', () => cut && made.cancel())
          made.on('error', reject).on('end', resolve)
        }
        if (requestStream) {
          for (const message of [request, 'more', 'and more']) made.write(message)
          made.end()
        }
      }),
    close: () => client.close(),
  }
}
