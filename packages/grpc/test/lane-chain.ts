import * as grpc from '@grpc/grpc-js'
import { currentLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type LaneResolver, type StaticSource } from '@laneway/discovery'
import { textMethod } from '../../../test/grpc/text-method.cjs'

const method = (name: string, ...streams: boolean[]) => textMethod(`/test.Echo/${name}`, ...streams)

/** A service of texts, one method of each kind. */
export const ECHO = {
  unary: method('unary', false, false),
  collect: method('collect', true, false),
  list: method('list', false, true),
  chat: method('chat', true, true),
}

export const EchoClient = grpc.makeGenericClientConstructor(ECHO, 'Echo')

/** The lane of this moment as text. */
export const now = () => currentLane()?.header ?? '-'

type Test = { teardown(fn: () => unknown): void }

/** Starts a server on a free port of the loopback. */
export async function serve(
  t: Test,
  handlers: grpc.UntypedServiceImplementation,
  options: grpc.ServerOptions = {},
  credentials = grpc.ServerCredentials.createInsecure(),
): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server(options)
  server.addService(ECHO, handlers)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  t.teardown(() => server.forceShutdown())
  return { server, port }
}

/** Answers with the lane, the name of the server, and the tag that came. */
export function echo(name: string): grpc.UntypedServiceImplementation {
  const say = (metadata: grpc.Metadata) => `${now()}@${name} ${JSON.stringify(metadata.get('x-mse-tag'))}`
  return {
    unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) =>
      setImmediate(() => callback(null, say(call.metadata))),
    collect: (call: grpc.ServerReadableStream<string, string>, callback: grpc.sendUnaryData<string>) => {
      const parts: string[] = []
      call.on('data', () => parts.push(now()))
      call.on('end', () => callback(null, `${parts.join()} ${say(call.metadata)}`))
    },
    list: (call: grpc.ServerWritableStream<string, string>) => {
      for (let part = 0; part < 3; part++) call.write(say(call.metadata))
      call.end()
    },
    chat: (call: grpc.ServerDuplexStream<string, string>) => {
      call.on('data', () => call.write(say(call.metadata)))
      call.on('end', () => call.end())
    },
  }
}

/** A resolver of one service, and the source that feeds it. */
export async function resolverOf(
  t: Test,
  service: string,
  endpoints: { host?: string; port: number; tags?: string[] }[],
  options: Partial<Parameters<typeof createLaneResolver>[0]> = {},
): Promise<{ resolver: LaneResolver; source: StaticSource }> {
  const source = createStaticSource({ [service]: endpoints.map(one => ({ host: '127.0.0.1', ...one })) })
  const resolver = createLaneResolver({ sources: [source], services: [service], ...options })
  t.teardown(() => resolver.close())
  await resolver.ready(service)
  return { resolver, source }
}

type AnyClient = grpc.Client & Record<string, (...args: unknown[]) => unknown>

/** A client whose calls are promises. */
export function client(t: Test, target: string, options: object, credentials = grpc.credentials.createInsecure()) {
  const made = new EchoClient(target, credentials, options) as unknown as AnyClient
  t.teardown(() => made.close())
  return {
    client: made,
    unary: (metadata = new grpc.Metadata(), callOptions: grpc.CallOptions = {}) =>
      new Promise<string>((resolve, reject) => {
        made['unary']!('x', metadata, callOptions, (error: grpc.ServiceError | null, value: string) =>
          error === null ? resolve(value) : reject(error),
        )
      }),
    collect: (...parts: string[]) =>
      new Promise<string>((resolve, reject) => {
        const call = made['collect']!((error: grpc.ServiceError | null, value: string) =>
          error === null ? resolve(value) : reject(error),
        ) as grpc.ClientWritableStream<string>
        for (const part of parts) call.write(part)
        call.end()
      }),
    list: () => all(made['list']!('x') as grpc.ClientReadableStream<string>),
    chat: (...parts: string[]) => {
      const call = made['chat']!() as grpc.ClientDuplexStream<string, string>
      for (const part of parts) call.write(part)
      call.end()
      return all(call)
    },
  }
}

function all(call: grpc.ClientReadableStream<string>): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const parts: string[] = []
    call.on('data', part => parts.push(part))
    call.on('error', reject)
    call.on('end', () => resolve(parts))
  })
}
