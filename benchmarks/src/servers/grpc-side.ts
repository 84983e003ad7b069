// One side of gRPC calls, in a process of its own. It reports the processor time that it has used.
//
//   node grpc-side.js server <plain|context|hook|interceptor>
//   node grpc-side.js client <plain|hand|lane> <tag> <base port> <gray port> [more pairs of ports]
import { AsyncLocalStorage } from 'node:async_hooks'
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import { parseLane, runInLane } from '@laneway/core'
import { textMethod } from '../../../test/grpc/text-method.cjs'

// grpc-js looks http2 up when it makes a server, so one can be wrapped as the preload does.
const require = createRequire(import.meta.url)
const grpc: typeof import('@grpc/grpc-js') = require('@grpc/grpc-js')
type Metadata = import('@grpc/grpc-js').Metadata

const IN_FLIGHT = 16
/** V8 keeps shapes without instances for two: see `hop-service.ts`. */
const COLLECTIONS = 6
const ECHO = { say: textMethod('/bench.Echo/Say') } as const

const [role, kind, ...rest] = process.argv.slice(2)
/** What a program without Laneway would keep a tag in. */
const storage = new AsyncLocalStorage<string>()

async function serve(name: string): Promise<number> {
  const { createServer } = http2
  const mutable = require('node:http2') as { createServer: unknown }
  if (kind === 'hook') {
    const { laneServer } = await import('@laneway/http')
    mutable.createServer = (...args: []) => laneServer(createServer(...args))
  }
  const interceptors = kind === 'interceptor' ? [(await import('@laneway/grpc')).laneInterceptor()] : []
  const server = new grpc.Server({ interceptors })
  type Call = { metadata: Metadata }
  type Done = (error: null, value: string) => void
  const say = ({ metadata }: Call, done: Done) => done(null, `${name} ${metadata.get('x-mse-tag')}`)
  const inContext = (call: Call, done: Done) => storage.run(String(call.metadata.get('x-mse-tag')[0]), say, call, done)
  server.addService(ECHO, { say: kind === 'context' ? inContext : say })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  mutable.createServer = createServer
  return port
}

type Call = () => Promise<string>

async function clientOf(base: string, gray: string, tag: string): Promise<Call> {
  let metadata = () => none
  const none = new grpc.Metadata()
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
  } else if (kind === 'hand') {
    metadata = () => {
      const own = none.clone()
      own.set('x-mse-tag', storage.getStore()!)
      return own
    }
  } else if (tag !== '') none.set('x-mse-tag', tag)
  const Client = grpc.makeGenericClientConstructor(ECHO, 'Echo')
  const client = new Client(target, grpc.credentials.createInsecure(), options)
  return () =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, value: string) => (error ? reject(error) : resolve(value))
      client['say']!('x', metadata(), done)
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

async function block(call: Call, calls: number): Promise<{ cpu: number; answer: string }> {
  const before = cpu()
  let left = calls
  let answer = ''
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) answer = await call()
    }),
  )
  return { cpu: cpu() - before, answer }
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
  const [tag = '', ...ports] = rest
  const calls: Call[] = []
  for (let at = 0; at < ports.length; at += 2) calls.push(await clientOf(ports[at]!, ports[at + 1]!, tag))
  const lane = kind === 'lane' && tag !== '' ? parseLane(tag) : undefined
  process.on('message', async (message: 'old' | { calls: number; to: number }) => {
    if (message === 'old') {
      await growOld()
      process.send!({ cpu: cpu() })
      return
    }
    const call = calls[message.to]!
    const run = () => runInLane(lane, block, call, message.calls)
    process.send!(await (kind === 'hand' ? storage.run(tag, run) : run()))
  })
  process.send!({ ports: [] })
}
