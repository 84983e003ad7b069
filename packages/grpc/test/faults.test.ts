import { once } from 'node:events'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, ECHO, echo, resolverOf, serve } from './lane-chain.js'
import { recorded } from './recorder.js'

const interceptors = () => ({ interceptors: [laneInterceptor()] })
const gray = <R>(fn: () => R) => runInLane('gray', fn)

/** How grpc-js tells of a reset: by the moment at which it learns of it, and by its version. */
const RESET = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED, grpc.status.INTERNAL]

async function status(call: Promise<unknown>): Promise<grpc.ServiceError> {
  return call.then(
    value => {
      throw new Error(`answered: ${value}`)
    },
    (error: grpc.ServiceError) => error,
  )
}

/** A server that takes connections and says nothing. */
async function silent(t: { teardown(fn: () => unknown): void }) {
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.teardown(close)
  return { port: (server.address() as AddressInfo).port, server, sockets, close }
}

/**
 * Older versions of grpc-js take a TCP connection for a connection, and send calls at once; later ones wait until the server
 * has spoken.
 */
async function sendsAtOnce(): Promise<boolean> {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const channel = new grpc.Channel(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {})
  channel.getConnectivityState(true)
  await once(server, 'connection')
  await new Promise(resolve => setTimeout(resolve, 100))
  const ready = channel.getConnectivityState(false) === grpc.connectivityState.READY
  channel.close()
  for (const socket of sockets) socket.destroy()
  server.close()
  return ready
}

const atOnce = await sendsAtOnce()

t.test('an endpoint that ends while it is being connected is answered for by base', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const mute = await silent(t)
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: mute.port, tags: ['gray'] }])
  const { resolver: recording, ends, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver: recording, connectTimeoutMs: 60_000 }))
  const calls = Array.from({ length: 8 }, () => gray(() => c.unary()))
  calls.push(gray(() => c.list()).then(parts => parts[0]!))
  await once(mute.server, 'connection')
  if (atOnce) {
    const told = Promise.all(calls.map(call => status(call)))
    await new Promise(resolve => setTimeout(resolve, 100))
    mute.close()
    for (const { code } of await told) t.ok(RESET.includes(code), 'bytes were sent, so the call stays')
    t.notOk(ends.some(end => end.startsWith('base')))
    t.equal(inFlight(), 0)
    return
  }
  mute.close()
  t.strictSame(await Promise.all(calls), Array(9).fill('gray@base ["gray"]'))
  t.equal(ends.filter(end => end === 'gray connect-error').length, 9)
  t.equal(ends.filter(end => end === 'base ok').length, 9)
  t.equal(inFlight(), 0)
})

t.test('an endpoint that cannot be connected in time is answered for by base', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const mute = await silent(t)
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: mute.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver, connectTimeoutMs: 50 }))
  if (atOnce) {
    const error = await status(gray(() => c.unary(undefined, { deadline: Date.now() + 200 })))
    t.equal(error.code, grpc.status.DEADLINE_EXCEEDED, 'bytes were sent, so the call stays')
    return
  }
  t.equal(await gray(() => c.unary()), 'gray@base ["gray"]')
  t.strictSame(await gray(() => c.chat('1')), ['gray@base ["gray"]'])
})

t.test('an endpoint that is slow to connect, and the only one, serves the calls that came meanwhile', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const held: (() => void)[] = []
  const slow = net.createServer(socket => {
    socket.on('error', () => {})
    held.push(() => {
      const far = net.connect(base.port, '127.0.0.1')
      far.on('error', () => socket.destroy())
      socket.pipe(far).pipe(socket)
    })
  })
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  t.teardown(() => slow.close())
  const { port } = slow.address() as AddressInfo
  const { resolver } = await resolverOf(t, 'sc-b', [{ port }])
  const { resolver: recording, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${port}`, laneChannel({ resolver: recording, connectTimeoutMs: 16 }))
  const calls = [gray(() => c.unary()), gray(() => c.list()), gray(() => c.collect('1', '2'))]
  await new Promise(resolve => setTimeout(resolve, 200))
  for (const connect of held) connect()
  const said = 'gray@base ["gray"]'
  t.strictSame(await Promise.all(calls), [said, [said, said, said], `gray,gray ${said}`])
  t.equal(inFlight(), 0)
  c.client.close()
})

t.test('a deadline, a cancellation and a parent end a call that waits for a connection', async t => {
  const mute = await silent(t)
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: mute.port }])
  const { resolver: recording, ends, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${mute.port}`, laneChannel({ resolver: recording, connectTimeoutMs: 60_000 }))
  t.match(await status(c.unary(undefined, { deadline: Date.now() + 50 })), { code: grpc.status.DEADLINE_EXCEEDED })
  const answer = new Promise<grpc.ServiceError>(resolve => {
    const call = c.client['unary']!('x', (error: grpc.ServiceError) => resolve(error)) as grpc.ClientUnaryCall
    setImmediate(() => call.cancel())
  })
  t.match(await answer, { code: grpc.status.CANCELLED })
  const parent = Object.assign(new net.Socket(), { getDeadline: () => Number.POSITIVE_INFINITY })
  const child = status(c.unary(undefined, { parent: parent as never }))
  setImmediate(() => parent.emit('cancelled'))
  t.match(await child, { code: grpc.status.CANCELLED, details: 'Cancelled by parent call' })
  if (!atOnce) t.equal(parent.listenerCount('cancelled'), 0)
  const late = Object.assign(new net.Socket(), { getDeadline: () => Date.now() + 50 })
  t.match(await status(c.unary(undefined, { parent: late as never })), { code: grpc.status.DEADLINE_EXCEEDED })
  t.strictSame(
    ends.filter(end => end !== 'base timeout'),
    Array(atOnce ? ends.filter(end => end === 'base aborted').length : 4).fill('base aborted'),
  )
  t.equal(ends.length, 4)
  t.equal(inFlight(), 0)
})

t.test(
  'an endpoint that ends within a call gives UNAVAILABLE to the caller, and nobody else sees the call',
  async t => {
    let seen = 0
    const base = await serve(t, { ...echo('base'), unary: () => seen++, list: () => seen++ }, interceptors())
    const arrived: (() => void)[] = []
    const arrival = () => new Promise<void>(resolve => arrived.push(resolve))
    const hanging = await serve(
      t,
      {
        ...echo('gray'),
        unary: () => arrived.shift()!(),
        list: (call: grpc.ServerWritableStream<string, string>) => call.write('first', () => arrived.shift()!()),
      },
      interceptors(),
    )
    const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: hanging.port, tags: ['gray'] }])
    const { resolver: recording, ends, inFlight } = recorded(resolver)
    const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver: recording }))
    const both = [arrival(), arrival()]
    const unary = status(gray(() => c.unary()))
    const list = status(gray(() => c.list()))
    await Promise.all(both)
    await new Promise(resolve => setTimeout(resolve, 20))
    hanging.server.forceShutdown()
    t.ok(RESET.includes((await unary).code), `${(await unary).message}`)
    t.ok(RESET.includes((await list).code), `${(await list).message}`)
    t.equal(seen, 0, 'base has seen nothing')
    t.strictSame(ends.sort(), ['gray ok', 'gray reset'])
    t.equal(inFlight(), 0)
  },
)

t.test('an endpoint that is drained under load fails no call', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const drained = await serve(t, echo('gray'), interceptors())
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: drained.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  const answers = new Map<string, number>()
  let calls = 0
  let shut: Promise<unknown> | undefined
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (calls < 1500) {
        if (calls++ === 500) shut = new Promise(resolve => drained.server.tryShutdown(resolve))
        const answer = await gray(() => c.unary()).catch((error: grpc.ServiceError) => `failed: ${error.message}`)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }),
  )
  await shut
  t.strictSame([...answers.keys()].sort(), ['gray@base ["gray"]', 'gray@gray ["gray"]'])
})

t.test('calls under way end as they would when their endpoint leaves the table', async t => {
  const slow = {
    ...echo('base'),
    unary: (_call: unknown, callback: grpc.sendUnaryData<string>) => setTimeout(() => callback(null, 'done'), 150),
    list: (call: grpc.ServerWritableStream<string, string>) => {
      let part = 0
      const timer = setInterval(() => {
        call.write(String(part++))
        if (part < 4) return
        clearInterval(timer)
        call.end()
      }, 40)
    },
  }
  const one = await serve(t, slow, interceptors())
  const other = await serve(t, echo('other'), interceptors())
  const { resolver, source } = await resolverOf(t, 'sc-b', [{ port: one.port }])
  const c = client(t, `sc-b:${one.port}`, laneChannel({ resolver }))
  const unary = c.unary()
  const list = c.list()
  await new Promise(resolve => setTimeout(resolve, 60))
  source.update({ 'sc-b': [{ host: '127.0.0.1', port: other.port }] })
  t.equal(await unary, 'done')
  t.strictSame(await list, ['0', '1', '2', '3'])
})

t.test('as many channels are open as endpoints live, while 40 of them come and go', async t => {
  const other = await serve(t, echo('other'), interceptors())
  // One server has many addresses on the loopback.
  const everywhere = new grpc.Server(interceptors())
  everywhere.addService(ECHO, echo('all'))
  const port = await new Promise<number>((resolve, reject) =>
    everywhere.bindAsync('0.0.0.0:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  t.teardown(() => everywhere.forceShutdown())
  const live = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ host: `127.0.0.${first + i}`, port, tags: [`t${first + i}`] }))
  const { resolver, source } = await resolverOf(t, 'sc-b', [{ port: other.port }, ...live(2, 40)])
  const c = client(t, `sc-b:${port}`, laneChannel({ resolver }))
  const channel = c.client.getChannel() as unknown as { endpoints: number }
  const callAll = async (first: number, count: number) => {
    for (let i = first; i < first + count; i++) {
      t.equal(await runInLane(`t${i}`, () => c.unary()), `t${i}@all ["t${i}"]`)
    }
  }
  await callAll(2, 40)
  t.equal(channel.endpoints, 40)
  for (const [first, count] of [
    [12, 30],
    [22, 40],
    [2, 3],
  ] as const) {
    source.update({ 'sc-b': [{ host: '127.0.0.1', port: other.port }, ...live(first, count)] })
    await callAll(first, count)
    t.equal(channel.endpoints, count)
  }
})

t.test('a call that waits for a connection, and a client that does, go on when the endpoint is there', async t => {
  const mute = await silent(t)
  const { port } = mute
  mute.close()
  const { resolver } = await resolverOf(t, 'sc-b', [{ port }])
  const c = client(t, `sc-b:${port}`, { ...laneChannel({ resolver }), 'grpc.initial_reconnect_backoff_ms': 100 })
  const error = await status(c.unary())
  t.equal(error.code, grpc.status.UNAVAILABLE)
  t.match(error.details, /No connection established/, 'as grpc-js says it')
  const waits = new grpc.Metadata({ waitForReady: true })
  const waiting = gray(() => c.unary(waits))
  const ready = new Promise<unknown>(resolve => c.client.waitForReady(Date.now() + 30_000, resolve))
  await new Promise(resolve => setTimeout(resolve, 50))
  const server = new grpc.Server(interceptors())
  server.addService(ECHO, echo('back'))
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), error =>
      error === null ? resolve() : reject(error),
    ),
  )
  t.teardown(() => server.forceShutdown())
  t.equal(await waiting, 'gray@back ["gray"]')
  t.equal(await ready, undefined)
  if (atOnce) return
  const never = await silent(t)
  const other = await resolverOf(t, 'sc-x', [{ port: never.port }])
  const d = client(t, `sc-x:${never.port}`, laneChannel({ resolver: other.resolver }))
  const late = await new Promise<Error | undefined>(resolve => d.client.waitForReady(Date.now() + 100, resolve))
  t.match(late?.message, /before the deadline/)
})

t.test('a call whose time is over tells the resolver so', async t => {
  // grpc-js' own server watches the deadline too, and may answer first.
  const mute = http2.createServer().on('stream', stream => stream.on('error', () => {}))
  const sessions = new Set<http2.ServerHttp2Session>()
  mute.on('session', session => sessions.add(session))
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => {
    for (const session of sessions) session.destroy()
    mute.close()
  })
  const { port } = mute.address() as AddressInfo
  const { resolver } = await resolverOf(t, 'sc-b', [{ port }])
  const { resolver: recording, ends, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${port}`, laneChannel({ resolver: recording }))
  const late = { code: grpc.status.DEADLINE_EXCEEDED }
  t.match(await status(c.unary(undefined, { deadline: Date.now() + 500 })), late)
  t.match(await status(c.unary(undefined, { deadline: Date.now() + 500 })), late)
  t.strictSame(ends, ['base aborted', 'base timeout'], 'the first has waited for a connection as well')
  t.equal(inFlight(), 0)
})

t.test('a caller that gives up tells the resolver so', async t => {
  const hanging = await serve(t, { ...echo('base'), unary: () => {} }, interceptors())
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: hanging.port }])
  const { resolver: recording, ends, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${hanging.port}`, laneChannel({ resolver: recording }))
  await c.list()
  const call = new Promise<grpc.ServiceError>(resolve => {
    const made = c.client['unary']!('x', (error: grpc.ServiceError) => resolve(error)) as grpc.ClientUnaryCall
    setTimeout(() => made.cancel(), 20)
  })
  t.match(await call, { code: grpc.status.CANCELLED })
  const parent = Object.assign(new net.Socket(), { getDeadline: () => Number.POSITIVE_INFINITY })
  const child = status(c.unary(undefined, { parent: parent as never }))
  setTimeout(() => parent.emit('cancelled'), 20)
  t.match(await child, { code: grpc.status.CANCELLED })
  t.strictSame(ends, ['base ok', 'base aborted', 'base aborted'])
  t.equal(inFlight(), 0)
})

t.test('a status of the server is an answer', async t => {
  const failing = await serve(
    t,
    {
      ...echo('base'),
      unary: (_call: unknown, callback: grpc.sendUnaryData<string>) =>
        callback({ code: grpc.status.UNAVAILABLE, details: 'No connection established: says the server' }),
    },
    interceptors(),
  )
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: failing.port }])
  const { resolver: recording, ends } = recorded(resolver)
  const c = client(t, `sc-b:${failing.port}`, laneChannel({ resolver: recording }))
  t.match(await status(c.unary()), { code: grpc.status.UNAVAILABLE, details: /says the server/ })
  t.strictSame(ends, ['base ok'])
})

t.test('a client that is closed refuses calls as grpc-js does', async t => {
  const base = await serve(t, echo('base'))
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  await c.unary()
  c.client.close()
  t.throws(() => c.client['unary']!('x', () => {}), { message: 'Channel has been shut down' })
})
