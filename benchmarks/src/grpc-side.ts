// One side of a gRPC call, in a process of its own: `node grpc-side.js server <plain|hook|interceptor>` or
// `node grpc-side.js client <plain|lane> <base port> <gray port> <tag>`. Tells its processor time for a block of calls, or
// since the last question.
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import { parseLane, runInLane } from '@laneway/core'

// grpc-js looks http2 up when it makes a server, so one can be wrapped as the preload does.
const require = createRequire(import.meta.url)
const grpc: typeof import('@grpc/grpc-js') = require('@grpc/grpc-js')
type Metadata = import('@grpc/grpc-js').Metadata

const IN_FLIGHT = 16
/** V8 keeps shapes without instances for two: see `hop-service.ts`. */
const COLLECTIONS = 6
const text = { serialize: (value: string) => Buffer.from(value), deserialize: (bytes: Buffer) => bytes.toString() }
const ECHO = {
  say: {
    path: '/bench.Echo/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  },
} as const

const [role, kind, ...rest] = process.argv.slice(2)

async function serve(name: string): Promise<number> {
  const { createServer } = http2
  const mutable = require('node:http2') as { createServer: unknown }
  if (kind === 'hook') {
    const { laneServer } = await import('@laneway/http')
    mutable.createServer = (...args: []) => laneServer(createServer(...args))
  }
  const interceptors = kind === 'interceptor' ? [(await import('@laneway/grpc')).laneInterceptor()] : []
  const server = new grpc.Server({ interceptors })
  server.addService(ECHO, {
    say: (call: { metadata: Metadata }, done: (error: null, value: string) => void) =>
      done(null, `${name} ${call.metadata.get('x-mse-tag')}`),
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  mutable.createServer = createServer
  return port
}

async function clientOf(base: string, gray: string, tag: string): Promise<() => Promise<string>> {
  const metadata = new grpc.Metadata()
  let target = `127.0.0.1:${tag === '' ? base : gray}`
  let options = {}
  if (kind === 'lane') {
    const { laneChannel } = await import('@laneway/grpc')
    const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
    const endpoints = [
      { host: '127.0.0.1', port: Number(base) },
      { host: '127.0.0.1', port: Number(gray), tags: ['gray'] },
    ]
    const resolver = createLaneResolver({
      sources: [createStaticSource({ 'sc-b': endpoints })],
      services: ['sc-b'],
    })
    await resolver.ready('sc-b')
    target = `sc-b:${base}`
    options = laneChannel({ resolver })
  } else if (tag !== '') metadata.set('x-mse-tag', tag)
  const Client = grpc.makeGenericClientConstructor(ECHO, 'Echo')
  const client = new Client(target, grpc.credentials.createInsecure(), options)
  return () =>
    new Promise((resolve, reject) => {
      client['say']!('x', metadata, (error: Error | null, value: string) => (error ? reject(error) : resolve(value)))
    })
}

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function growOld(): Promise<void> {
  for (let time = 0; time < COLLECTIONS; time++) {
    globalThis.gc!()
    await new Promise(resolve => setImmediate(resolve))
  }
}

process.on('disconnect', () => process.exit())
if (role === 'server') {
  const ports = [await serve('base'), await serve('gray')]
  process.on('message', async message => {
    if (message === 'old') await growOld()
    process.send!({ cpu: cpu() })
  })
  process.send!({ ports })
} else {
  const [base = '', gray = '', tag = ''] = rest
  const call = await clientOf(base, gray, tag)
  const lane = kind === 'lane' && tag !== '' ? parseLane(tag) : undefined
  process.on('message', (message: { calls: number; old?: boolean }) =>
    runInLane(lane, async () => {
      const before = cpu()
      let left = message.calls
      let answer = ''
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (left-- > 0) answer = await call()
        }),
      )
      const used = cpu() - before
      if (message.old === true) await growOld()
      process.send!({ cpu: used, answer })
    }),
  )
  process.send!({})
}
